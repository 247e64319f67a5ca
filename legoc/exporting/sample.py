"""The part of a log that the certificate scores with both engines."""

from dataclasses import dataclass

import numpy as np

from legoc.data.indexing.context import Renumbered
from legoc.data.indexing.log import I32, I64, Log


GROUPS = 2000
ROWS = 30_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some groups of a log with items numbered anew: item i of `log` is row `items[i]` of the item
    table, `items[0]` is 0. `groups` of `of` groups were taken."""

    log: Log
    items: I32
    groups: int
    of: int


def draw_sample(log: Log, *, seed: int, further: I32) -> Sample:
    """Whole groups of a log that has rows, drawn without replacement until `GROUPS` or `ROWS` is
    reached; all of them of a small log. `further` items are numbered too."""
    bounds = bounds_of(log)
    total = len(bounds) - 1
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(total)
    ends = np.cumsum(np.diff(bounds)[order])
    count = min(max(int(np.searchsorted(ends, ROWS, side="right")), 1), GROUPS, total)
    return take(log, bounds, np.sort(order[:count]), further)


def every_group(log: Log, *, further: I32) -> Sample:
    """All groups of a log that has rows, with their rows in its order."""
    bounds = bounds_of(log)
    return take(log, bounds, np.arange(len(bounds) - 1), further)


def bounds_of(log: Log) -> I64:
    """Where each group of a log begins, and where the last one ends."""
    starts = np.flatnonzero(np.diff(log.group, prepend=log.group[:1] - 1))
    return np.append(starts, log.rows).astype(np.int64)


def take(log: Log, bounds: I64, chosen: I64, further: I32) -> Sample:
    """Some groups of a log, which lie between `bounds`."""
    sizes = np.diff(bounds)[chosen]
    rows = spans(bounds[chosen], sizes)
    histories, history = np.unique(log.history[rows], return_inverse=True)
    starts, ends = log.starts[histories], log.starts[histories.astype(np.int64) + 1]
    counts = ends - starts
    clicks = log.clicks[spans(starts, counts)]
    items = np.unique(np.concatenate([[0], log.item[rows], clicks, further])).astype(np.int32)
    return Sample(
        log=Log(
            clicks=np.searchsorted(items, clicks).astype(np.int32),
            starts=np.append(0, np.cumsum(counts)).astype(np.int64),
            user=np.asarray(log.user[histories], dtype=np.int32),
            history=history.reshape(-1).astype(np.int32),
            item=np.searchsorted(items, log.item[rows]).astype(np.int32),
            label=np.asarray(log.label[rows], dtype=np.float32),
            group=np.repeat(np.arange(len(chosen), dtype=np.int32), sizes),
            moment=log.moment[rows] if len(log.moment) else log.moment,
            context=None if log.context is None else Renumbered(inner=log.context, origin=items),
        ),
        items=items,
        groups=len(chosen),
        of=len(bounds) - 1,
    )


def spans(starts: I64, counts: I64) -> I64:
    """The places starts[i] ... starts[i] + counts[i] - 1 of every i, end to end."""
    first = np.cumsum(counts) - counts
    return np.repeat(starts - first, counts) + np.arange(int(counts.sum()))
