"""How much is encoded or scored at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


I32 = NDArray[np.int32]

ROWS_AT_ONCE = 128
PAIRS_AT_ONCE = 8_000
FLOATS_AT_ONCE = 4 << 20
SUMS_AT_ONCE = 16 << 20


def by_length(lengths: NDArray[np.integer], *, first: int = 0) -> Iterator[I32]:
    """Rows `first` ... in blocks of like length: what a block is padded to is its longest."""
    order = np.argsort(lengths[first:], kind="stable").astype(np.int32) + np.int32(first)
    for start in range(0, len(order), ROWS_AT_ONCE):
        yield order[start : start + ROWS_AT_ONCE]


def pairs_at_once(floats: int) -> int:
    """Pairs per call where each gathers so many floats: a few thousand, fewer where memory asks."""
    return max(1, min(PAIRS_AT_ONCE, FLOATS_AT_ONCE // max(floats, 1)))


def users_at_once(rows: int) -> int:
    """Users per call where each needs so many sums, one for every row of a table: 64 MiB."""
    return max(1, SUMS_AT_ONCE // max(rows, 1))


def pair_parts(owner: NDArray[np.integer], step: int, most: int) -> Iterator[slice]:
    """Parts of pairs, given by the users [P] that own them: at most `step` pairs, of at most `most`
    users, in each."""
    for start in range(0, len(owner), step):
        yield from halve(owner, start, min(start + step, len(owner)), most)


def halve(owner: NDArray[np.integer], start: int, end: int, most: int) -> Iterator[slice]:
    """A part of pairs, halved until it has so few users."""
    if end - start <= most or len(np.unique(owner[start:end])) <= most:
        yield slice(start, end)
        return
    middle = (start + end) // 2
    yield from halve(owner, start, middle, most)
    yield from halve(owner, middle, end, most)


def stack_padded(blocks: Sequence[I32]) -> I32:
    """Blocks [m, S] of different S as one [U, S], padded with 0 on the right."""
    width = max((block.shape[1] for block in blocks), default=1)
    stacked = np.zeros((sum(len(block) for block in blocks), width), dtype=np.int32)
    start = 0
    for block in blocks:
        stacked[start : start + len(block), : block.shape[1]] = block
        start += len(block)
    return stacked
