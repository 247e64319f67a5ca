"""Buckets of like length: where to cut sorted rows so that little padding is encoded."""

import numpy as np

from legoc.data.indexing.log import I32, I64


# A bucket costs about as much as encoding this many positions: fewer, larger calls are faster.
OVERHEAD = 128

# Lengths are considered at so many places at most; between them a cut gains next to nothing.
PLACES = 48


def cut_buckets(lengths: I32, most: int = 8) -> I64:
    """Ends I64[K] of at most `most` buckets over ascending lengths I32[U]; the last is U.

    The cuts are optimal for the sum over buckets of rows x longest + OVERHEAD, up to the places
    considered: a dynamic program over the distinct lengths.
    """
    rows = len(lengths)
    if rows == 0:
        return np.zeros(0, dtype=np.int64)
    ends = np.flatnonzero(np.diff(lengths)) + 1
    if len(ends) >= PLACES:
        ends = ends[np.linspace(0, len(ends) - 1, PLACES - 1).astype(np.int64)]
    ends = np.append(ends, rows).astype(np.int64)
    if most == 1 or len(ends) == 1:
        return ends[-1:]
    starts = np.append(0, ends)
    longest = np.maximum(lengths[ends - 1], 1).astype(np.int64)
    # cost[i, j]: one bucket from starts[i] to ends[j].
    cost = (ends[None, :] - starts[:-1, None]) * longest[None, :] + OVERHEAD
    cost = np.where(
        np.arange(len(ends))[:, None] <= np.arange(len(ends)), cost, np.iinfo(np.int64).max // 4
    )
    best = cost[0]
    origin: list[I64] = []
    for _ in range(most - 1):
        # best[i - 1] + cost[i, j]: the bucket that ends at j begins where another ends.
        total = np.vstack([cost[0], best[:-1, None] + cost[1:]])
        origin.append(total.argmin(axis=0))
        best = total.min(axis=0)
    found = [len(ends) - 1]
    for step in reversed(origin):
        before = int(step[found[-1]]) - 1
        if before < 0:
            break
        found.append(before)
    return ends[found[::-1]]
