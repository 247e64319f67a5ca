"""The k best of some lists whose scores come block by block.

Of equal scores the earlier item comes first. Letters: m lists, w items of a block.
"""

import numpy as np

from legoc.data.indexing.log import F32, I32, I64
from legoc.evaluation.placed import Best


class Running:
    """The best so far of m lists. A score of -inf is no candidate."""

    def __init__(self, lists: int, k: int) -> None:
        self.lists, self.k = lists, k
        self.owner = np.zeros(0, dtype=np.int64)
        self.score = np.zeros(0, dtype=np.float32)
        self.item = np.zeros(0, dtype=np.int32)
        self.least = np.full(lists, -np.inf, dtype=np.float32)

    def offer(self, scores: F32, items: I32) -> None:
        """Scores [m, w] of items [w]."""
        least = self.least
        if scores.shape[1] > self.k:
            # What is not among the k best of the block is not among those of the whole.
            least = np.maximum(least, np.partition(scores, -self.k, axis=1)[:, -self.k])
        rows, places = np.nonzero((scores >= least[:, None]) & (scores > -np.inf))
        owner = np.concatenate([self.owner, rows])
        score = np.concatenate([self.score, scores[rows, places]])
        item = np.concatenate([self.item, items[places]])
        order = np.lexsort((item, -score, owner))
        counts = np.bincount(owner, minlength=self.lists)
        begins = np.cumsum(counts) - counts
        kept = order[np.arange(len(order)) - np.repeat(begins, counts) < self.k]
        self.owner, self.score, self.item = owner[kept], score[kept], item[kept]
        full = np.flatnonzero(counts >= self.k)
        if len(full):
            held = np.minimum(counts, self.k)
            self.least[full] = self.score[(np.cumsum(held) - 1)[full]]


def join(parts: list[tuple[I64, Running]]) -> Best:
    """The lists of all parts by their queries; a part knows the query of each of its lists."""
    owner = [names[part.owner] for names, part in parts]
    item = [part.item for _, part in parts]
    owners = np.concatenate([np.zeros(0, dtype=np.int64), *owner])
    items = np.concatenate([np.zeros(0, dtype=np.int32), *item])
    order = np.argsort(owners, kind="stable")
    return Best(owner=owners[order], item=items[order])
