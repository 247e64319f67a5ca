"""The part of a log that the certificate scores with both engines."""

from dataclasses import dataclass

import numpy as np

from legoc.data.log import I32, Log


GROUPS = 2000
ROWS = 60_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some groups of a log with items numbered anew: item i of `log` is row `items[i]` of the item
    table, `items[0]` is 0. `groups` of `of` groups were taken."""

    log: Log
    items: I32
    groups: int
    of: int


def draw_sample(log: Log, *, seed: int, further: I32) -> Sample:
    """Whole groups, drawn without replacement until `GROUPS` or `ROWS` is reached, all of them in a
    small log. `further` items are numbered too."""
    total = int(log.group[-1]) + 1 if log.rows else 0
    bounds = np.flatnonzero(np.diff(log.group, prepend=-1, append=total))
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(total)
    sizes = np.diff(bounds)[order]
    count = min(max(int(np.searchsorted(np.cumsum(sizes), ROWS, side="right")), 1), GROUPS, total)
    chosen = np.sort(order[:count])
    rows = (
        np.concatenate([np.arange(bounds[g], bounds[g + 1]) for g in chosen])
        if count
        else np.zeros(0, dtype=np.int64)
    )
    histories, history = np.unique(log.history[rows], return_inverse=True)
    starts, ends = log.starts[histories], log.starts[histories.astype(np.int64) + 1]
    counts = ends - starts
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
    clicks = log.clicks[places] if len(places) else np.zeros(0, dtype=np.int32)
    items = np.unique(np.concatenate([[0], log.item[rows], clicks, further])).astype(np.int32)
    group = np.unique(log.group[rows], return_inverse=True)[1].reshape(-1)
    return Sample(
        log=Log(
            clicks=np.searchsorted(items, clicks).astype(np.int32),
            starts=offsets,
            user=np.asarray(log.user[histories], dtype=np.int32),
            history=history.reshape(-1).astype(np.int32),
            item=np.searchsorted(items, log.item[rows]).astype(np.int32),
            label=np.asarray(log.label[rows], dtype=np.float32),
            group=group.astype(np.int32),
        ),
        items=items,
        groups=count,
        of=total,
    )
