"""Scores of pairs, in chunks, with the inner product in numpy.

Letters: U users, N items, S clicks, D width, P pairs, C vectors of a user.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.chunks import pairs_at_once, users_at_once
from legoc_runtime.graphs import F32, I32, Graphs, verify_range


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """Users of a target-aware predictor: rows of the item matrix [U, S], 0 at padding."""

    rows: I32

    def __len__(self) -> int:
        return len(self.rows)


class Scorer:
    """Scores pairs of users and items by their rows."""

    def __init__(self, graphs: Graphs) -> None:
        self.graphs = graphs
        plan = graphs.parts.plan
        # A product and a sum: numpy does it faster than a graph, and the bundle's own graph of it
        # serves other languages.
        self.inner_product = graphs.parts.predict == "Dot" and plan.user == "vector"
        # These add up what a user's clicks hold, over all tokens or all items.
        reading = graphs.parts.reading or {}
        sums = {"TFIDF": int(reading.get("rows", 0)), "ItemKNN": graphs.parts.rows}
        self.most = users_at_once(sums.get(graphs.parts.predict, 0))

    def score(self, users: F32 | Clicks, items: F32, owner: I32, candidates: I32) -> F32:
        """[P] logits of the pairs (row `owner` of users, row `candidates` of items [N, D])."""
        verify_range("owner", owner, len(users))
        verify_range("candidates", candidates, len(items))
        wide = users.rows.shape[1] if isinstance(users, Clicks) else users[:1, ..., 0].size
        step = pairs_at_once(max(wide, 1) * items.shape[1])
        scores = np.empty(len(owner), dtype=np.float32)
        for start in range(0, len(owner), step):
            chosen = slice(start, start + step)
            scores[chosen] = self.chunk(users, items, owner[chosen], candidates[chosen])
        return scores

    def chunk(self, users: F32 | Clicks, items: F32, owner: I32, candidates: I32) -> F32:
        if self.inner_product and not isinstance(users, Clicks):
            return np.einsum("pd,pd->p", users[owner], items[candidates])
        distinct, place = np.unique(owner, return_inverse=True)
        if len(distinct) > self.most:
            half = len(owner) // 2
            parts = (slice(None, half), slice(half, None))
            return np.concatenate(
                [self.chunk(users, items, owner[part], candidates[part]) for part in parts]
            )
        if isinstance(users, Clicks):
            return self.target(users.rows[distinct], items, place, items[candidates])
        return self.graphs.predict(users[distinct], items[candidates], place)

    def target(self, rows: I32, items: F32, owner: NDArray[np.integer], candidates: F32) -> F32:
        """Users given as rows of clicks [U, S], cut to the longest before they are gathered."""
        longest = max(int((rows > 0).sum(axis=1).max(initial=0)), 1)
        rows = rows[:, :longest]
        return self.graphs.predict(items[rows], candidates, owner, rows > 0)

    def one(self, user: F32, candidates: F32) -> F32:
        """[P] logits of one user ([D], [C, D], or clicks [S, D]) and candidates [P, D]."""
        if self.inner_product:
            return candidates @ user
        step = pairs_at_once(user.size)
        mask = None
        if self.graphs.parts.plan.user == "clicks":
            mask = np.ones((1, len(user)), dtype=bool)
        scores = np.empty(len(candidates), dtype=np.float32)
        for start in range(0, len(candidates), step):
            part = candidates[start : start + step]
            owner = np.zeros(len(part), dtype=np.int32)
            scores[start : start + step] = self.graphs.predict(user[None], part, owner, mask)
        return scores


def top(scores: F32, k: int) -> NDArray[np.intp]:
    """The places of the k highest scores, best first; of equal scores the earlier place first. NaN
    is no score: its place is never among them, so there may be fewer than k."""
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, dtype=np.intp)
    best = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    least = scores[best].min()
    if np.isnan(least):
        # Sorting puts NaN above everything: where there is any, one is among the best.
        real = np.flatnonzero(~np.isnan(scores))
        return real[top(scores[real], k)]
    # Everything tied with the k-th takes part, or which of them enters would be left to chance.
    places = np.flatnonzero(scores >= least)
    order = np.lexsort((places, -scores[places].astype(np.float64)))
    return places[order[:k]]
