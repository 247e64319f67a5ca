"""How much is encoded or scored at once."""

from collections.abc import Iterator

import numpy as np

from legoc.data.log import I32


ITEMS_AT_ONCE = 512
FLOATS_AT_ONCE = 4 << 20


def by_length(lengths: I32, *, first: int = 0, size: int = ITEMS_AT_ONCE) -> Iterator[I32]:
    """Rows `first` ... in blocks of like length: what a block is padded to is its longest."""
    order = np.argsort(lengths[first:], kind="stable").astype(np.int32) + np.int32(first)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def pairs_at_once(floats: int) -> int:
    """Pairs per call where each gathers so many floats: 1,000 to 8,000 (EXPORT section 6), fewer
    where that alone would not fit."""
    fitting = max(FLOATS_AT_ONCE // max(floats, 1), 1)
    return min(fitting, 8_000)
