"""When each item was shown, clicked and first seen: rows of the log at their own moments.

A row of an impression that a source gives whole has the moment of the impression. Clicks of a
history count where the source knows their moments; nobody knows what was shown with them, so they
are no showings. Candidates that were drawn are in no log.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from legoc.data.indexing.codes import SPLITS, Codes, find
from legoc.data.indexing.counters import first_moments
from legoc.data.indexing.log import I32, I64
from legoc.data.splitting.unseen import DRAWN
from legoc.data.staging.source import Extracted


if TYPE_CHECKING:
    import duckdb


# Single interactions have moments of their own, whatever impression they are part of; the split may
# have left some of them out, and they happened all the same.
OWN = "SELECT item_id, time, label, true AS told FROM feedback"
TOLD = f"""
SELECT item_id, time, label, true AS told FROM rows JOIN impressions USING (position)
WHERE place < {DRAWN}
"""
REMEMBERED = "SELECT item_id, time, 1 AS label, false AS told FROM remembered"

# The clicks of an item in each moment that has some, and with no clicks its first moment.
MOMENTS = """
SELECT item_id, epoch_us(moment) AS moment, clicks FROM (
    SELECT item_id, min(time) AS moment, 0 AS clicks FROM sightings GROUP BY item_id
    UNION ALL
    SELECT item_id, time AS moment, count(*)::INTEGER AS clicks FROM sightings
    WHERE label > 0 GROUP BY item_id, time
) WHERE item_id IN (SELECT item_id FROM items) ORDER BY item_id, moment, clicks
"""

# How often each item was shown in each moment, and clicked there. A log of clicks alone shows
# nothing, and would fill the table with what `MOMENTS` has.
SHOWINGS = """
SELECT item_id, epoch_us(time) AS moment, count(*)::INTEGER AS showings,
       (count(*) FILTER (WHERE label > 0))::INTEGER AS clicks
FROM sightings
WHERE told AND label IS NOT NULL AND item_id IN (SELECT item_id FROM items)
      AND EXISTS (SELECT 1 FROM sightings WHERE told AND NOT label > 0)
GROUP BY item_id, time ORDER BY item_id, moment
"""

PUBLISHED = """
SELECT item_id, epoch_us(time) AS moment FROM published
WHERE time IS NOT NULL AND item_id IN (SELECT item_id FROM items) ORDER BY item_id
"""


def view_sightings(connection: "duckdb.DuckDBPyConnection", extracted: Extracted) -> None:
    """Make the view sightings(item_id, time, label, told) of what was arranged; told: whether it is
    a row of the log, and no click that a history remembers."""
    single = extracted.feedback is not None and not extracted.feedback.told
    parts = [OWN if single else TOLD, *([REMEMBERED] if extracted.remembered else [])]
    connection.execute(f"CREATE VIEW sightings AS {' UNION ALL '.join(parts)}")


def read_times(folder: Path) -> I64:
    """I64[R]: the moment of each row of the interactions, that of its impression, in
    microseconds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "interactions.parquet", columns=["time"])
    times = table.column(0).combine_chunks().cast(pa.timestamp("us"))
    return np.asarray(times.cast(pa.int64()), dtype=np.int64)


def read_moments(folder: Path, items: int) -> tuple[tuple[I32, I64, I32], I64]:
    """Items, moments and numbers of the clicks whose moment is known, and when each item was
    published or first seen."""
    import pyarrow.parquet as pq

    known = pq.read_table(folder / "items.parquet", columns=["item_id"]).column(0).combine_chunks()
    table = pq.read_table(folder / "moments.parquet")
    item = find(table.column("item_id"), known) + 1
    moment = table.column("moment").to_numpy().astype(np.int64)
    clicks = table.column("clicks").to_numpy().astype(np.int32)
    first = first_moments(item, moment, items)
    published = folder / "published.parquet"
    if published.is_file():
        told = pq.read_table(published)
        place = find(told.column("item_id"), known) + 1
        first[place] = np.minimum(first[place], told.column("moment").to_numpy())
    real = clicks > 0
    return (item[real], moment[real], clicks[real]), first


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What rows with labels show, T entries of an item in a moment, in any order."""

    items: I32
    moments: I64
    showings: I32
    clicks: I32


def read_showings(folder: Path) -> Shown:
    """The showings of a log; none where every row is a click."""
    import pyarrow.parquet as pq

    known = pq.read_table(folder / "items.parquet", columns=["item_id"]).column(0).combine_chunks()
    with pq.ParquetFile(folder / "showings.parquet") as file:
        count = file.metadata.num_rows
        items, moments = np.empty(count, np.int32), np.empty(count, np.int64)
        showings, clicks = np.empty(count, np.int32), np.empty(count, np.int32)
        first = 0
        for batch in file.iter_batches(1 << 20, use_threads=False):
            rows = slice(first, first + len(batch))
            items[rows] = find(batch["item_id"], known) + 1
            moments[rows] = batch["moment"].to_numpy()
            showings[rows] = batch["showings"].to_numpy()
            clicks[rows] = batch["clicks"].to_numpy()
            first = rows.stop
    return Shown(items=items, moments=moments, showings=showings, clicks=clicks)


def read_overall(folder: Path) -> float:
    """The share of the rows of train that are clicks."""
    codes = Codes.load(folder)
    label = codes.label[codes.split == SPLITS.index("train")]
    return float((label > 0).sum() / max(np.count_nonzero(~np.isnan(label)), 1))
