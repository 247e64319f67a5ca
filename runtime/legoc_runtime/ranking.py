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
    """The k highest of scores that come in parts, by rows that ascend from part to part."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.least = np.float32(np.nan)
        self.scores: list[F32] = []
        self.rows: list[Places] = []
        self.waiting = 0

    def offer(self, scores: F32, rows: Places | int) -> None:
        """A part [n]; rows: of its scores [n], or the first of those that follow each other."""
        if np.isnan(self.least):
            few = 4 * self.k + FEW
            if len(scores) > 4 * few:
                # The best of a few leave little of the others to be looked at.
                self.offer(scores[:few], rows if isinstance(rows, int) else rows[:few])
                self.offer(scores[few:], rows + few if isinstance(rows, int) else rows[few:])
                return
            places = np.arange(len(scores))
        else:
            # A later row with the score of the last does not come in.
            places = (scores > self.least).nonzero()[0]
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
        best = top(scores, self.k)
        scores, rows = scores[best], rows[best]
        order = np.argsort(rows)
        self.scores, self.rows, self.waiting = [scores[order]], [rows[order]], 0
        if len(scores) == self.k:
            self.least = scores[-1]
        return rows, scores
