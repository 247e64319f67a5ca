"""From the tables to logs of indices: items, users and histories by number."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.indexing.codes import SPLITS, Codes, find, number_trained, renumber
from legoc.data.indexing.log import I32, I64, Log, Moments
from legoc.data.indexing.names import Names
from legoc.data.indexing.sightings import read_times
from legoc.data.indexing.tables import Tables
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import SILENT, Progress


# Raise when the logs of the same tables would differ from those an older version wrote.
VERSION = 2

ARRAYS = ("clicks", "starts", "user", "history", "item", "label", "group", "moment")


def name_items(tables: Tables) -> Names:
    """The items by index: the order of the table."""
    return Names(ids=("", *read_names(tables, "items", "item_id").to_pylist()))


def name_users(tables: Tables) -> Names:
    """The users that train, by index: the table has them in the order of their numbers."""
    return Names(ids=("", *read_names(tables, "trained", "user_id").to_pylist()))


def read_names(tables: Tables, table: str, column: str) -> Any:
    """A column of a table as an Arrow array, in the order of its rows."""
    import pyarrow.parquet as pq

    return pq.read_table(tables.path(table), columns=[column]).column(0).combine_chunks()


def mark_training(tables: Tables, items: int) -> np.ndarray:
    """Bool[N]: items that some training impression or training history shows, without those that
    a language model made up: nothing is drawn from them."""
    shown = read_names(tables, "training", "item_id")
    mask = np.zeros(items, dtype=bool)
    mask[1 + find(shown, read_names(tables, "items", "item_id"))] = True
    mask[items - tables.report.generated :] = False
    return mask


def number_categories(tables: Tables) -> np.ndarray:
    """I32[N]: items of one `category` share a number; 0 is no category."""
    if "category" not in tables.report.coverage:
        raise fail(
            "E0628",
            f"the items of {tables.report.source} have no attribute `category`",
            "choose another pool for the negatives: `matching(pool=impression)`",
        )
    with tables.connect() as connection:
        found = connection.sql(
            """
            SELECT CASE WHEN coalesce(category::VARCHAR, '') IN ('', '[]') THEN 0
                        ELSE dense_rank() OVER (ORDER BY category::VARCHAR NULLS FIRST) END::INTEGER
                   AS number
            FROM items JOIN places USING (item_id) ORDER BY place
            """
        ).fetchnumpy()["number"]
    return np.concatenate([[0], np.asarray(found)]).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class Logs(Mapping[str, Log]):
    """The splits that exist, each made when it is first asked for."""

    names: tuple[str, ...]
    make: Callable[[str], Log]
    made: dict[str, Log] = field(default_factory=dict[str, Log])

    def __getitem__(self, name: str) -> Log:
        if name not in self.names:
            raise KeyError(name)
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def build_logs(
    tables: Tables, *, history: int, group: str, root: Path, progress: Progress = SILENT,
    context: Moments | None = None,
) -> Logs:  # fmt: skip
    """A log per split: histories cut to the newest `history` clicks, rows of one group adjacent.
    context: what is known of items at the moments of the rows."""

    def make(split: str) -> Log:
        key = digest([VERSION, tables.digest, history, group, split])

        def write(staging: Path) -> dict[str, Any]:
            progress.say(f"indexing {split}")
            for name, array in index(tables, split, history, group).items():
                np.save(staging / f"{name}.npy", array)
            return {"split": split}

        folder, _ = obtain(root / "logs" / key[:32], write)
        arrays = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ARRAYS
        }
        return Log(**arrays, context=context)

    return Logs(names=tuple(tables.report.parts), make=make)


def order_rows(codes: Codes, split: str, group: str) -> tuple[I64, I32, I64]:
    """The rows of a part in the order of the tables, the number of each one's group, and the order
    in which a log has them: rows of one group become adjacent and keep their order."""
    rows = np.flatnonzero(codes.split == SPLITS.index(split))
    people = codes.person[codes.history[rows]]
    _, unit = renumber(people if group == "user" else codes.impression[rows])
    return rows, unit, np.argsort(unit, kind="stable")


def index(tables: Tables, split: str, history: int, group: str) -> dict[str, np.ndarray]:
    """The arrays of one split's log."""
    codes = Codes.load(tables.folder)
    rows, unit, order = order_rows(codes, split, group)
    histories, history_of = renumber(codes.history[rows])
    ends = codes.starts[1:][histories]
    kept = np.minimum(ends - codes.starts[:-1][histories], history)
    starts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    places = np.repeat(ends - starts[1:], kept) + np.arange(starts[-1])
    return {
        "history": history_of[order],
        "item": codes.item[rows[order]],
        "label": codes.label[rows[order]],
        "group": unit[order],
        "user": number_trained(codes)[codes.person[histories]],
        "starts": starts,
        "clicks": codes.clicks[places],
        "moment": read_times(tables.folder)[rows][order],
    }
