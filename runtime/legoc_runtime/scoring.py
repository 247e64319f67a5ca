"""Scores of pairs, in chunks, with the inner product in numpy.

Letters: U users, N items, S clicks, D width, P pairs, C vectors of a user.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.chunks import pairs_at_once
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
        if isinstance(users, Clicks):
            return self.target(users.rows[distinct], items, place, items[candidates])
        return self.graphs.predict(users[distinct], items[candidates], place)

    def target(self, rows: I32, items: F32, owner: NDArray[np.integer], candidates: F32) -> F32:
        """Users given as rows of clicks [U, S], cut to the longest before they are gathered."""
        longest = max(int((rows > 0).sum(axis=1).max(initial=0)), 1)
        rows = rows[:, :longest]
        return self.graphs.predict(items[rows], candidates, owner, rows > 0)

    def every(self, users: Sequence[F32], items: F32) -> Iterator[F32]:
        """[N] logits of all items for each user, given as `one` takes them. Where the catalogue is
        small, users of like length share a call of the graph."""
        most = max((user.size for user in users), default=1)
        together = pairs_at_once(most) // max(len(items), 1)
        if self.inner_product or together < 2 or len(users) < 2:
            yield from (self.one(user, items) for user in users)
            return
        clicks = self.graphs.parts.plan.user == "clicks"
        scores = np.empty((len(users), len(items)), dtype=np.float32)
        lengths = np.array([len(user) if clicks else 0 for user in users])
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), together):
            part = order[start : start + together]
            chosen = [users[place] for place in part]
            mask = np.arange(max(int(lengths[part].max()), 1)) < lengths[part][:, None]
            owner = np.repeat(np.arange(len(part), dtype=np.int32), len(items))
            scores[part] = self.graphs.predict(
                stack_users(chosen, mask) if clicks else np.stack(chosen),
                np.tile(items, (len(part), 1)), owner, mask if clicks else None,
            ).reshape(len(part), len(items))  # fmt: skip
        yield from scores

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


def stack_users(users: Sequence[F32], mask: NDArray[np.bool_]) -> F32:
    """Users as their clicks [S, D] of different S as one [U, S, D], zeros where the mask is not."""
    stacked = np.zeros((*mask.shape, users[0].shape[-1]), dtype=np.float32)
    for place, clicks in enumerate(users):
        stacked[place, : len(clicks)] = clicks
    return stacked


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
