"""Negatives out of the batch: what the other rows of the batch have clicked.

They come as often as they are clicked, so the logarithm of that is taken from their scores while
training (log-Q). Letters: B samples, K candidates of each, H clicks of the log, N items with row 0.

Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, RecSys
2019. Yang et al., Mixed Negative Sampling for Learning Two-tower Neural Networks in
Recommendations, WWW 2020 Companion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.batching.negatives import TRIES, Clicked
from legoc.data.indexing.log import F32, I32, I64
from legoc.language.ir.negatives import count_others


# Where a row takes one of so few others, all pairs of the batch are looked at, as in a batch of few
# pairs: drawing one by one would meet too often what is drawn already, or clicked.
OTHERS = 16
PAIRS = 1 << 14
# What is subtracted from the score of a place that no negative could be found for: far more than
# any score, and finite, for infinity times a label of zero is not a number.
MASKED = np.float32(1e9)


@dataclass(frozen=True, kw_only=True)
class Others:
    """amount: negatives of a row that other rows of its batch give; the rest is uniform. logs:
    F32[N], log(N' Q) of each item, where Q is its share of all negatives and N' the items that
    training shows. So it is 0 for every item where all negatives are uniform, and a score means
    the same whatever it was trained with."""

    clicked: Clicked
    amount: int
    logs: F32

    @staticmethod
    def of(
        clicks: I32, training: NDArray[np.bool_], clicked: Clicked, pool: str, negatives: int
    ) -> "Others | None":
        """Of the items clicked in the training rows [H]; None for pools that do not use them."""
        amount = count_others(pool, negatives)
        if not amount:
            return None
        share = amount / negatives
        items = np.count_nonzero(training)
        often = np.bincount(clicks, minlength=len(training)) / len(clicks) * items
        scaled = share * often + (1 - share) * training
        logs = np.log(scaled, out=np.zeros(len(scaled)), where=scaled > 0)
        return Others(clicked=clicked, amount=amount, logs=logs.astype(np.float32))

    def choose(self, rng: np.random.Generator, items: I32, users: I32, amount: int) -> I32:
        """Items I32[B, amount] of other rows for each row, no row twice, none that the user has
        clicked; 0 where the batch has too few. items, users: [B], what each row clicks and whose
        row it is."""
        if len(items) ** 2 <= PAIRS or len(items) <= OTHERS * amount:
            return self.choose_densely(rng, items, users, amount)
        rows = np.full((len(items), amount), -1, dtype=np.int64)
        for _ in range(TRIES):
            empty, columns = np.nonzero(rows < 0)
            if not len(empty):
                break
            for column in np.unique(columns):
                here = empty[columns == column]
                drawn = rng.integers(0, len(items), len(here))
                bad = self.clicked.contains(users[here], items[drawn])
                bad |= (rows[here] == drawn[:, None]).any(axis=1)
                rows[here, column] = np.where(bad, -1, drawn)
        for row in np.unique(np.nonzero(rows < 0)[0]):
            rows[row] = self.choose_exactly(rng, rows[row], items, int(users[row]))
        return np.where(rows < 0, 0, items[rows]).astype(np.int32)

    def choose_densely(self, rng: np.random.Generator, items: I32, users: I32, amount: int) -> I32:
        """The same, by a random order of the whole batch for each row."""
        size = len(items)
        other = self.clicked.contains(np.repeat(users, size), np.tile(items, size))
        keys = np.where(other.reshape(size, size), np.inf, rng.random((size, size)))
        rows = np.argsort(keys, axis=1)[:, :amount]
        found = np.where(np.isinf(np.take_along_axis(keys, rows, axis=1)), 0, items[rows])
        return np.pad(found, ((0, 0), (0, amount - found.shape[1]))).astype(np.int32)

    def choose_exactly(self, rng: np.random.Generator, rows: I64, items: I32, user: int) -> I64:
        """The same for one row that few others can serve."""
        rows = rows.copy()
        whose = np.full(len(items), user, dtype=np.int32)
        able = np.flatnonzero(~self.clicked.contains(whose, items))
        left = rng.permutation(np.setdiff1d(able, rows))
        empty = np.flatnonzero(rows < 0)[: len(left)]
        rows[empty] = left[: len(empty)]
        return rows

    def offsets(self, candidates: I32, masked: NDArray[np.bool_]) -> F32:
        """What training takes from the scores of candidates [B, K]."""
        return np.where(masked, MASKED, self.logs[candidates]).astype(np.float32)
