"""The highest of many scores, exactly: of equal scores the earlier first, and NaN never."""

import numpy as np
from numpy.typing import NDArray


F32 = NDArray[np.float32]
Places = NDArray[np.integer]

FEW = 1024


def top(scores: F32, k: int) -> NDArray[np.intp]:
    """The places of the k highest scores, best first; of equal scores the earlier place first. NaN
    is no score: its place is never among them, so there may be fewer than k."""
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, dtype=np.intp)
    if k < len(scores):
        # Sorting puts NaN above everything: where there is any, one is among the best.
        best = np.partition(scores, len(scores) - k)[len(scores) - k :]
        least, most = best[0], best.max()
    else:
        least, most = scores.min(), scores.max()
    if np.isnan(most):
        real = np.flatnonzero(~np.isnan(scores))
        return real[top(scores[real], k)]
    # However many share the k-th score, only as many of them as enter are looked at again.
    above = (scores > least).nonzero()[0]
    tied = (scores == least).nonzero()[0][: k - len(above)]
    return np.concatenate([above[np.argsort(-scores[above], kind="stable")], tied])


class Best:
    """The k highest of scores that come in parts, by rows that ascend from part to part.

    Of the first part a few give a bound that all others have to pass, so that little of them is
    looked at again.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.least = np.float32(np.nan)
        self.scores: list[F32] = []
        self.rows: list[Places] = []
        self.waiting = 0

    def offer(self, scores: F32, rows: Places | int) -> None:
        """A part [n]; rows: of its scores [n], or the first of those that follow each other."""
        bound = self.least
        if np.isnan(bound):
            bound = lower_bound(scores[: 4 * self.k + FEW], self.k)
            places = beyond(scores, bound, self.k)
        else:
            # A later row with the score of the last does not come in.
            places = (scores > bound).nonzero()[0]
        if not len(places):
            return
        self.scores.append(scores[places])
        self.rows.append(rows + places if isinstance(rows, int) else rows[places])
        self.waiting += len(places)
        if self.waiting > 8 * self.k or np.isnan(self.least):
            self.settle()

    def settle(self) -> tuple[Places, F32]:
        """The rows and scores of the best so far, best first."""
        if not self.scores:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        # What came before stands before, so that of equal scores the earlier row does.
        scores, rows = np.concatenate(self.scores), np.concatenate(self.rows)
        if len(scores) > FEW:
            best = top(scores, self.k)
        else:
            # No score is NaN here.
            best = (-scores).argsort(kind="stable")[: self.k]
        scores, rows = scores[best], rows[best]
        self.scores, self.rows, self.waiting = [scores], [rows], 0
        if len(scores) == self.k:
            self.least = scores[-1]
        return rows, scores


def lower_bound(scores: F32, k: int) -> np.float32:
    """The k-th highest of some scores; NaN where there are not as many."""
    real = scores[scores == scores]
    if len(real) < k:
        return np.float32(np.nan)
    real.partition(len(real) - k)
    return real[len(real) - k]


def beyond(scores: F32, bound: np.float32, k: int) -> Places:
    """The places of scores above a bound and of the first on it, k at least, ascending; of all that
    are numbers where the bound is none."""
    if np.isnan(bound):
        return (scores == scores).nonzero()[0]
    places = (scores >= bound).nonzero()[0]
    if len(places) <= 4 * k + FEW:
        return places
    # Thousands may share one score.
    above, tied = (scores > bound).nonzero()[0], (scores == bound).nonzero()[0][:k]
    return np.sort(np.concatenate([above, tied]))
