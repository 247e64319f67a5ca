"""Counts of written tables: sizes per split, coverage of the attributes, what is new."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.codes import SPLITS, Codes, encode, number_trained, place_first
from legoc.data.indexing.log import I32
from legoc.data.staging.first_records import quote_name
from legoc.data.staging.report import Drop, Part, Report


if TYPE_CHECKING:
    import duckdb


def survey(
    folder: Path,
    *,
    source: str,
    licence: str,
    drops: Sequence[Drop],
    notes: Sequence[str],
    unit: str = "impression_id",
) -> Report:
    """Count the tables in a folder and mark the items that training shows.

    unit: what rows are ranked within, `impression_id` or (without impressions) `user_id`.
    Writes `training.parquet` (`item_id`): items of some training impression or training history,
    from which vocabularies are learned and by which items count as known; `trained.parquet`
    (`user_id`, `number`): the users of the training rows in the order in which these show them; and
    the tables by number (`codes`).
    """
    import duckdb

    codes = encode(folder)
    codes.save(folder)
    items = count_rows(folder / "items.parquet")
    known = mark_known(codes, items)
    write_known(folder, codes, known)
    lengths = np.diff(codes.starts)
    with duckdb.connect() as connection:
        path = str(folder / "items.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW items AS SELECT * FROM read_parquet('{path}')")
        coverage = count_coverage(connection, items)
    return Report(
        source=source, licence=licence, items=items, users=int(codes.person.max(initial=-1)) + 1,
        histories=len(lengths), empty_histories=int((lengths == 0).sum()), coverage=coverage,
        parts=count_parts(codes, known, unit), notes=tuple(notes), group=unit.removesuffix("_id"),
        drops=tuple(drops),
    )  # fmt: skip


def count_rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return pq.read_metadata(path).num_rows


def mark_known(codes: Codes, items: int) -> NDArray[np.bool_]:
    """Bool[N + 1]: items, from 1, that some training impression or training history shows."""
    known = np.zeros(items + 1, dtype=bool)
    train = codes.split == SPLITS.index("train")
    known[codes.item[train]] = True
    told = np.zeros(len(codes.person), dtype=bool)
    told[codes.history[train]] = True
    known[codes.clicks[np.repeat(told, np.diff(codes.starts))]] = True
    return known


def write_known(folder: Path, codes: Codes, known: NDArray[np.bool_]) -> None:
    """Write the items and the users that training shows, by name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pq.read_table(folder / "items.parquet", columns=["item_id"])
    shown = names.filter(pa.array(known[1:])).sort_by("item_id")
    pq.write_table(shown, folder / "training.parquet")
    users = pq.read_table(folder / "histories.parquet", columns=["user_id"]).column(0)
    numbers = number_trained(codes)
    table = pa.table({"user_id": users.unique(), "number": numbers})
    table = table.filter(pa.array(numbers > 0)).sort_by("number")
    pq.write_table(table, folder / "trained.parquet")


def count_coverage(connection: "duckdb.DuckDBPyConnection", items: int) -> dict[str, float]:
    """The share of items that have each attribute."""
    described = connection.execute("DESCRIBE items").fetchall()
    coverage: dict[str, float] = {}
    for name, *_ in described:
        if name == "item_id":
            continue
        ((filled,),) = connection.execute(
            f"SELECT count(*) FILTER ({quote_name(name)}::VARCHAR NOT IN ('', '[]')) FROM items"
        ).fetchall()
        coverage[name] = filled / items if items else 0.0
    return coverage


def count_parts(codes: Codes, known: NDArray[np.bool_], unit: str) -> dict[str, Part]:
    """The counts of every split that has rows, in the order train, valid, test, predict."""
    empty = np.diff(codes.starts) == 0
    found: dict[str, Part] = {}
    for place, split in enumerate(SPLITS):
        rows = np.flatnonzero(codes.split == place)
        if not len(rows):
            continue
        history, impression = codes.history[rows], codes.impression[rows]
        person = codes.person[history]
        clicks = np.nan_to_num(codes.label[rows])
        ranked = person if unit == "user_id" else impression
        given, positive = np.bincount(ranked), np.bincount(ranked, weights=clicks)
        lacking = (given > 0) & ((positive == 0) | (positive == given))
        first = place_first(impression)
        first = first[first < len(rows)]
        found[split] = Part(
            rows=len(rows), clicks=int(clicks.sum(dtype=np.float64)), impressions=len(first),
            groups=int((given > 0).sum()),
            one_class=0 if split == "predict" else int(lacking.sum()),
            cold=int(empty[history[first]].sum()), cold_rows=int(empty[history].sum()),
            histories=count_distinct(history), users=count_distinct(person),
            new_items=float((~known[codes.item[rows]]).mean()),
        )  # fmt: skip
    return found


def count_distinct(codes: I32) -> int:
    return int(np.count_nonzero(np.bincount(codes)))
