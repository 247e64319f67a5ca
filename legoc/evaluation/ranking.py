"""Ragged groups ordered by score: one sort, then everything is sums over segments.

Tied rows of a group form one *block*, and every metric is the expected value over the orders in
which the rows of each block can stand. A constant scorer gets the same figure whatever the order of
the rows. Letters: R rows, Z blocks, G groups.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Groups that have positives and negatives, the others left out and counted in `excluded`."""

    group: I64  # [Z] the group of each block, 0 ... G - 1, ascending
    size: I64  # [Z] rows of the block
    positives: I64  # [Z] positives among them
    above: I64  # [Z] rows of the group that rank above the block
    before: I64  # [Z] positives among those
    rows: I64  # [G]
    clicks: I64  # [G] positives of each group
    names: I64  # [G] the number that each group was given
    excluded: int

    @property
    def groups(self) -> int:
        return len(self.rows)

    def total(self, values: F64) -> F64:
        """[G]: the sum over the blocks of each group."""
        return np.bincount(self.group, values, minlength=self.groups)


def rank(scores: ArrayLike, positive: ArrayLike, groups: ArrayLike) -> Ranking:
    """Order R rows within their groups, highest score first.

    scores [R] are finite float32, positive [R] boolean, groups [R] ints from 0; the rows of a group
    need not be adjacent.
    """
    # Tied rows are interchangeable, so no permutation is needed: group, score and label are packed
    # into one integer per row and the integers sorted.
    keys = np.sort(pack(np.asarray(scores), np.asarray(positive), np.asarray(groups)))
    if not len(keys):
        return empty(0)
    same = keys >> np.uint64(1)
    first = np.flatnonzero(np.concatenate(([True], same[1:] != same[:-1])))
    owner = keys[first] >> np.uint64(33)
    opens = np.concatenate(([True], owner[1:] != owner[:-1]))
    group = np.cumsum(opens) - 1
    size = np.diff(first, append=len(keys))
    positives = np.add.reduceat((keys & np.uint64(1)).astype(np.int64), first)
    rows = np.bincount(group, size).astype(np.int64)
    clicks = np.bincount(group, positives).astype(np.int64)
    begin = np.flatnonzero(opens)
    above = np.cumsum(size) - size
    before = np.cumsum(positives) - positives
    above -= above[begin][group]
    before -= before[begin][group]
    mixed = (clicks > 0) & (clicks < rows)
    kept = mixed[group]
    return Ranking(
        group=(np.cumsum(mixed) - 1)[group][kept],
        size=size[kept],
        positives=positives[kept],
        above=above[kept],
        before=before[kept],
        rows=rows[mixed],
        clicks=clicks[mixed],
        names=owner[begin][mixed].astype(np.int64),
        excluded=int((~mixed).sum()),
    )


def order_rows(groups: I64, scores: NDArray[np.float32]) -> tuple[I64, I64]:
    """[R] the rows, group by group, best first, and [R] the place of each of them in its group,
    from 0. Of equal scores the earlier row comes first; rows of a group need not be adjacent."""
    order = np.lexsort((-scores, groups))
    opens = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return order, np.arange(len(order)) - np.repeat(opens, np.diff(opens, append=len(order)))


def rank_rows(groups: I64, scores: NDArray[np.float32]) -> I64:
    """[R]: the rank of each row in its group, the best is 1. No rank comes twice: publishers take
    each once."""
    order, place = order_rows(groups, scores)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = place + 1
    return ranks


def empty(excluded: int) -> Ranking:
    none = np.zeros(0, dtype=np.int64)
    return Ranking(
        group=none, size=none, positives=none, above=none, before=none, rows=none, clicks=none,
        names=none, excluded=excluded,
    )  # fmt: skip


def pack(
    scores: NDArray[np.float32], positive: NDArray[np.bool_], groups: I64
) -> NDArray[np.uint64]:
    """One integer per row that sorts by group, then falling score, then label."""
    # Adding zero turns -0.0 into 0.0, which must tie with it.
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    sign = np.uint32(0x80000000)
    rising = np.where(bits & sign, ~bits, bits | sign)
    falling = (~rising).astype(np.uint64)
    return (
        groups.astype(np.uint64) << np.uint64(33)
        | falling << np.uint64(1)
        | positive.astype(np.uint64)
    )


def harmonic(length: int) -> F64:
    """[length + 1]: H(n) = 1 + 1/2 + ... + 1/n."""
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, length + 1))))


def discounts(length: int) -> F64:
    """[length + 1]: the sum of 1 / log2(1 + rank) over the first n ranks."""
    return np.concatenate(([0.0], np.cumsum(1.0 / np.log2(np.arange(2, length + 2)))))


def log_factorials(length: int) -> F64:
    """[length + 1]: log n!"""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, length + 1)))))


def longest(ranking: Ranking) -> int:
    return int(ranking.rows.max(initial=0))


def separated(ranking: Ranking) -> F64:
    """[G]: the share of (positive, negative) pairs in the right order, ties counting half."""
    negatives = ranking.size - ranking.positives
    ranked_above = ranking.above - ranking.before
    below = (ranking.rows - ranking.clicks)[ranking.group] - ranked_above - negatives
    wins = ranking.total(ranking.positives * (below + 0.5 * negatives))
    return wins / (ranking.clicks * (ranking.rows - ranking.clicks))
