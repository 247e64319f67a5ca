"""The highest of many scores, exactly: of equal scores the earlier first, and NaN never."""

import numpy as np
from numpy.typing import NDArray


F32 = NDArray[np.float32]
Places = NDArray[np.integer]


def top(scores: F32, k: int) -> NDArray[np.intp]:
    """The places of the k highest scores, best first; of equal scores the earlier place first. NaN
    is no score: its place is never among them, so there may be fewer than k."""
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, dtype=np.intp)
    if k < len(scores):
        # Sorting puts NaN above everything: where there is any, one is at the end.
        parted = np.partition(scores, (len(scores) - k, len(scores) - 1))
        least, most = parted[len(scores) - k], parted[-1]
    else:
        least, most = scores.min(), scores.max()
    if np.isnan(most):
        real = np.flatnonzero(~np.isnan(scores))
        return real[top(scores[real], k)]
    # However many share the k-th score, only as many of them as enter are looked at again.
    above = np.flatnonzero(scores > least)
    tied = np.flatnonzero(scores == least)[: k - len(above)]
    return np.concatenate([above[np.argsort(-scores[above], kind="stable")], tied])


class Best:
    """The k highest of scores that come in parts, by rows that ascend from part to part."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.rows = np.zeros(0, dtype=np.int64)
        self.scores = np.zeros(0, dtype=np.float32)

    def offer(self, scores: F32, rows: Places | int) -> None:
        """A part [n]; rows: of its scores [n], or the first of those that follow each other."""
        if len(self.scores) < self.k:
            places = top(scores, self.k)
        else:
            # A later row with the score of the last does not come in.
            places = np.flatnonzero(scores > self.scores[-1])
            if not len(places):
                return
            if len(places) > self.k:
                places = places[top(scores[places], self.k)]
            elif len(places) > 1:
                places = places[np.argsort(-scores[places], kind="stable")]
        found = rows + places if isinstance(rows, int) else rows[places]
        together = np.concatenate([self.scores, scores[places]])
        # What was there stands before, and both parts are in order: equal scores stay by row.
        order = np.argsort(-together, kind="stable")[: self.k]
        self.scores = together[order]
        self.rows = np.concatenate([self.rows, found])[order]
