"""The rows of a log by the names that the tables have for them. Letters: R rows, G groups."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.codes import Codes, place_first, renumber
from legoc.data.indexing.index import order_rows, read_names
from legoc.data.indexing.log import I32, I64, Log
from legoc.data.indexing.tables import Tables


@dataclass(frozen=True, kw_only=True)
class RowNames:
    """The names of one part's rows in the order of its log: a number [R] each, and Arrow arrays of
    the texts that they number. rows [R]: where each stands in the tables, which have them in the
    publisher's order."""

    rows: I64
    impression: I32
    user: I32
    item: I32
    impressions: Any
    users: Any
    items: Any

    def digest(self, labels: NDArray[np.float32]) -> str:
        """Of what the rows say, whatever they are numbered by: impressions, users, items and
        labels, in order. Equal digests are the same rows."""
        found = hashlib.sha256()
        for codes, names in (
            (self.impression, self.impressions), (self.user, self.users), (self.item, self.items)
        ):  # fmt: skip
            seen, places = renumber(codes)
            found.update(places.tobytes())
            found.update("\n".join(names.take(seen).to_pylist()).encode())
        found.update(np.ascontiguousarray(labels, dtype=np.float32).tobytes())
        return found.hexdigest()


def name_rows(tables: Tables, log: Log, split: str, group: str) -> RowNames:
    """The names of the rows of the log of a part, which `build_logs` made of these tables."""
    codes = Codes.load(tables.folder)
    rows, _, order = order_rows(codes, split, group)
    rows = rows[order]
    item = codes.item[rows]
    if not np.array_equal(item, log.item):
        raise RuntimeError(f"the log of `{split}` has other rows than its tables")
    seen, impression = renumber(codes.impression[rows])
    user_seen, user = renumber(codes.person[codes.history[rows]])
    item_seen, item = renumber(item)
    return RowNames(
        rows=rows,
        impression=impression,
        user=user,
        item=item,
        impressions=read_impressions(tables, codes, seen),
        users=read_distinct(tables, "histories", "user_id").take(user_seen),
        items=read_names(tables, "items", "item_id").take(item_seen - 1),
    )


def read_impressions(tables: Tables, codes: Codes, chosen: I32) -> Any:
    """The names of some impressions, by number. One row of each is read: the names of all rows
    would take more memory than all the rest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = place_first(np.asarray(codes.impression))[chosen]
    wanted = np.zeros(len(codes.impression), dtype=bool)
    wanted[place] = True
    found: list[Any] = [pa.array([], pa.string())]
    first = 0
    with pq.ParquetFile(tables.path("interactions")) as file:
        for batch in file.iter_batches(1 << 20, columns=["impression_id"], use_threads=False):
            found.append(batch.column(0).filter(pa.array(wanted[first : first + len(batch)])))
            first += len(batch)
    names = pa.chunked_array(found, pa.string()).combine_chunks()
    # They were read in the order of the table.
    return names.take(np.argsort(np.argsort(place)))


def read_distinct(tables: Tables, table: str, column: str) -> Any:
    """The distinct texts of a column in the order of their first appearance."""
    return read_names(tables, table, column).unique()
