"""Negatives: what was shown and not clicked, or items drawn from what training knows.

Letters: B samples, K negatives of each, N items with row 0. Only the training log supplies items.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.batching.clicks import count_clicks
from legoc.data.batching.draws import choose
from legoc.data.indexing.log import F32, I32, I64, Log


# So often is a draw repeated before the items that are left are looked up one by one. A draw fails
# where the user has clicked the item or the sample has it already: rare, unless a set is tiny.
TRIES = 24

Propose = Callable[[np.random.Generator, I32], I32]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The non-clicks of each group of a log: `rows[starts[g] : starts[g + 1]]`.

    An item counts once per group, and not at all where it was clicked in the same group.
    """

    rows: I64
    starts: I64

    @staticmethod
    def of(log: Log, items: int) -> "Shown":
        group, label = np.asarray(log.group), np.asarray(log.label)
        keys = group.astype(np.int64) * items + log.item
        clicked = distinct(keys[label > 0])
        quiet = np.flatnonzero(label == 0)
        quiet = quiet[~contains(clicked, keys[quiet])]
        _, first = np.unique(keys[quiet], return_index=True)
        rows = quiet[first]
        groups = int(group[-1]) + 1 if len(group) else 0
        counts = np.bincount(group[rows], minlength=groups)
        return Shown(rows=rows, starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def choose(self, rng: np.random.Generator, groups: I32, amount: int) -> I64:
        """Rows I64[B, amount] of non-clicks of the groups, without repetition, -1 where a group has
        too few."""
        begin, end = self.starts[groups], self.starts[np.asarray(groups, dtype=np.int64) + 1]
        place = choose(rng, end - begin, amount)
        if not len(self.rows):
            return place
        found = self.rows[np.minimum(begin[:, None] + np.maximum(place, 0), len(self.rows) - 1)]
        return np.where(place < 0, -1, found)


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """Which items each user has clicked in training: in a history (as cut) or as a candidate."""

    keys: I64
    items: int

    @staticmethod
    def of(log: Log, items: int) -> "Clicked":
        user = np.repeat(log.user, np.diff(log.starts)).astype(np.int64)
        hit = np.flatnonzero(np.asarray(log.label) > 0)
        own = np.asarray(log.user)[log.history[hit]].astype(np.int64)
        keys = np.concatenate([user * items + log.clicks, own * items + log.item[hit]])
        return Clicked(keys=distinct(keys), items=items)

    def contains(self, users: I32, items: I32) -> NDArray[np.bool_]:
        """Whether users[b] has clicked items[b]."""
        return contains(self.keys, np.asarray(users, dtype=np.int64) * self.items + items)

    def of_user(self, user: int) -> I64:
        """All items a user has clicked, ascending."""
        first, last = np.searchsorted(self.keys, [user * self.items, (user + 1) * self.items])
        return self.keys[first:last] - user * self.items


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Items negatives are drawn from: those training shows. `propose` draws one per positive."""

    items: I32
    propose: Propose

    @staticmethod
    def uniform(training: NDArray[np.bool_]) -> "Pool":
        items = np.flatnonzero(training).astype(np.int32)
        return Pool(
            items=items,
            propose=lambda rng, positives: items[rng.integers(0, len(items), len(positives))],
        )

    @staticmethod
    def popularity(training: NDArray[np.bool_], log: Log) -> "Pool":
        """In proportion to 1 + the item's clicks in training, so that every item may come."""
        items = np.flatnonzero(training).astype(np.int32)
        counts = count_clicks(log, len(training))
        ends = np.cumsum(1 + counts[items])

        def propose(rng: np.random.Generator, positives: I32) -> I32:
            return items[np.searchsorted(ends, rng.integers(0, ends[-1], len(positives)), "right")]

        return Pool(items=items, propose=propose)

    @staticmethod
    def category(training: NDArray[np.bool_], categories: I32) -> "Pool":
        """Uniform among the items of the positive's category; `categories` is I32[N]."""
        items = np.flatnonzero(training).astype(np.int32)
        ordered = items[np.argsort(categories[items], kind="stable")]
        counts = np.bincount(categories[items], minlength=int(categories.max(initial=0)) + 1)
        starts = np.concatenate([[0], np.cumsum(counts)])

        def propose(rng: np.random.Generator, positives: I32) -> I32:
            own = categories[positives]
            place = starts[own] + (rng.random(len(positives)) * counts[own]).astype(np.int64)
            return ordered[np.minimum(place, len(ordered) - 1)]

        return Pool(items=items, propose=propose)


def contains(ordered: I64, values: I64) -> NDArray[np.bool_]:
    """Whether each value is among the ascending ones."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[place] == values


def fill(
    rng: np.random.Generator,
    chosen: I32,
    positives: I32,
    users: I32,
    clicked: Clicked,
    pools: tuple[Pool, ...],
) -> I32:
    """Fill the zeros of `chosen` I32[B, K] with items of the pools the user never clicked.

    No sample has an item twice or its positive among its negatives. A later pool serves where the
    earlier ones have run out. Only where a user has clicked all but a few items of the last pool
    does a sample repeat one; where all of them, it takes clicked ones.
    """
    chosen = chosen.copy()
    for pool in pools:
        for _ in range(TRIES):
            rows, columns = np.nonzero(chosen == 0)
            if not len(rows):
                return chosen
            # One column at a time: a sample's own draws must see each other.
            for column in np.unique(columns):
                here = rows[columns == column]
                drawn = pool.propose(rng, positives[here])
                bad = clicked.contains(users[here], drawn) | (drawn == positives[here])
                bad |= (chosen[here] == drawn[:, None]).any(axis=1)
                chosen[here, column] = np.where(bad, 0, drawn)
    for row in np.unique(np.nonzero(chosen == 0)[0]):
        chosen[row] = fill_exactly(
            rng, chosen[row], int(positives[row]), clicked.of_user(int(users[row])), pools[-1].items
        )
    return chosen


def fill_exactly(
    rng: np.random.Generator, chosen: I32, positive: int, clicks: I64, items: I32
) -> I32:
    """The same for one sample whose user has clicked nearly everything."""
    fresh = np.setdiff1d(items, clicks)
    fresh = fresh[fresh != positive]
    left = rng.permutation(np.setdiff1d(fresh, chosen))
    empty = np.flatnonzero(chosen == 0)
    chosen = chosen.copy()
    chosen[empty[: len(left)]] = left[: len(empty)]
    rest = empty[len(left) :]
    if len(rest):
        source = fresh if len(fresh) else items[items != positive]
        chosen[rest] = rng.choice(source if len(source) else items, len(rest))
    return chosen


def labels_of(batch: int, negatives: int) -> F32:
    """F[B, 1 + negatives]: the positive first."""
    labels = np.zeros((batch, 1 + negatives), dtype=np.float32)
    labels[:, 0] = 1
    return labels


def distinct(values: I64) -> I64:
    """The distinct values, ascending. numpy's own `unique` hashes first, which takes 15 times as
    long on millions of keys."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]
