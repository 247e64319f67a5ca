"""From the tables to logs of indices: items, users and histories by number."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.log import Log
from legoc.data.names import Names
from legoc.data.tables import Tables, quote
from legoc.language.diagnostics import fail
from legoc.progress import SILENT, Progress


# Raise when the logs of the same tables would differ from those an older version wrote.
VERSION = 1

# Rows fetched at a time.
BLOCK = 1 << 20

ARRAYS = ("clicks", "starts", "user", "history", "item", "label", "group")


def name_items(tables: Tables) -> Names:
    """The items by index: the order of the table."""
    with tables.connect() as connection:
        found = connection.sql("SELECT item_id FROM places ORDER BY place").fetchall()
    return Names(ids=("", *(name for (name,) in found)))


def name_users(tables: Tables) -> Names:
    """The users that train, by index."""
    with tables.connect() as connection:
        found = connection.sql(f"SELECT user_id FROM {users_of(tables)} ORDER BY number").fetchall()
    return Names(ids=("", *(name for (name,) in found)))


def users_of(tables: Tables) -> str:
    """The users that train as a table of SQL: `user_id`, `number` from 1."""
    return f"read_parquet({quote(tables.path('trained'))})"


def mark_training(tables: Tables, items: int) -> np.ndarray:
    """Bool[N]: items that some training impression or training history shows."""
    with tables.connect() as connection:
        path = str(tables.path("training")).replace("'", "''")
        found = connection.sql(
            f"SELECT place FROM places JOIN read_parquet('{path}') USING (item_id)"
        ).fetchnumpy()["place"]
    mask = np.zeros(items, dtype=bool)
    mask[np.asarray(found)] = True
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
            SELECT CASE WHEN coalesce(category::VARCHAR, '') = '' THEN 0
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
    tables: Tables, *, history: int, group: str, root: Path, progress: Progress = SILENT
) -> Logs:
    """A log per split: histories cut to the newest `history` clicks, rows of one group adjacent."""

    def make(split: str) -> Log:
        key = digest([VERSION, tables.digest, history, group, split])

        def write(staging: Path) -> dict[str, Any]:
            progress.say(f"indexing {split}")
            scratch = staging / "scratch"
            for name, array in index(tables, split, history, group, scratch).items():
                np.save(staging / f"{name}.npy", array)
            shutil.rmtree(scratch, ignore_errors=True)
            return {"split": split}

        folder, _ = obtain(root / "logs" / key[:32], write)
        arrays = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ARRAYS
        }
        return Log(**arrays)

    return Logs(names=tuple(tables.report.parts), make=make)


def index(
    tables: Tables, split: str, history: int, group: str, spill: Path | None = None
) -> dict[str, np.ndarray]:
    """The arrays of one split's log; `spill` is a folder for what memory does not hold."""
    unit = "user_id" if group == "user" else "impression_id"
    rows = tables.report.parts[split].rows
    with tables.connect(spill) as connection:
        for statement in (
            f"""
            CREATE TEMP TABLE chosen AS
            SELECT row, {unit} AS unit, history_id, item_id, label
            FROM interactions JOIN histories USING (history_id) WHERE split = '{split}'
            """,
            """
            CREATE TEMP TABLE units AS
            SELECT unit, (row_number() OVER (ORDER BY min(row)) - 1)::INTEGER AS number
            FROM chosen GROUP BY unit
            """,
            f"""
            CREATE TEMP TABLE told AS
            SELECT history_id, (row_number() OVER (ORDER BY first) - 1)::INTEGER AS number,
                   coalesce(users.number, 0)::INTEGER AS user,
                   list_slice(clicks, -{history}, -1) AS clicks
            FROM (SELECT history_id, min(row) AS first FROM chosen GROUP BY history_id)
            JOIN histories USING (history_id) LEFT JOIN {users_of(tables)} AS users USING (user_id)
            """,
        ):
            connection.execute(statement)
        found = fetch(
            connection,
            """
            SELECT told.number AS history, place AS item, label::FLOAT AS label,
                   units.number AS "group"
            FROM chosen JOIN told USING (history_id) JOIN units USING (unit)
            JOIN places USING (item_id) ORDER BY units.number, row
            """,
            rows,
            {"history": np.int32, "item": np.int32, "label": np.float32, "group": np.int32},
        )
        users = connection.sql("SELECT user, len(clicks) AS n FROM told ORDER BY number")
        counted = users.fetchnumpy()
        starts = np.concatenate([[0], np.cumsum(counted["n"])]).astype(np.int64)
        clicks = fetch(
            connection,
            """
            SELECT place AS clicks FROM (
                SELECT number, unnest(clicks) AS item_id,
                       generate_subscripts(clicks, 1) AS slot FROM told
            ) JOIN places USING (item_id) ORDER BY number, slot
            """,
            int(starts[-1]),
            {"clicks": np.int32},
        )
    user = np.ascontiguousarray(counted["user"], dtype=np.int32)
    return {**found, **clicks, "starts": starts, "user": user}


def fetch(
    connection: Any, query: str, rows: int, columns: Mapping[str, type]
) -> dict[str, np.ndarray]:
    """The columns of a query of known length, fetched in blocks; an absent number is NaN."""
    arrays = {name: np.empty(rows, dtype=kind) for name, kind in columns.items()}
    first = 0
    for batch in connection.sql(query).to_arrow_reader(BLOCK):
        last = first + batch.num_rows
        for name, array in arrays.items():
            array[first:last] = batch.column(name).to_numpy(zero_copy_only=False)
        first = last
    if first != rows:
        raise RuntimeError(f"expected {rows} rows and found {first}")
    return arrays
