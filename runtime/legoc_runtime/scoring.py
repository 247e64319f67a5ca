"""Scores of pairs, in chunks, with the inner product in numpy.

Letters: U users, N items, S clicks, D width, P pairs, C vectors of a user.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import Blocks, product
from legoc_runtime.chunks import pair_parts, pairs_at_once, users_at_once
from legoc_runtime.graphs import F32, I32, Graphs, verify_range
from legoc_runtime.prefixes import pairs_at_once as answers_at_once


Rows = F32 | Blocks


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
        self.prefixed = plan.user == "prefix"
        self.reads_moment = graphs.parts.context is not None
        # These add up what a user's clicks hold, over all tokens or all items.
        reading = graphs.parts.reading or {}
        sums = {"TFIDF": int(reading.get("rows", 0)), "ItemKNN": graphs.parts.rows}
        self.most = users_at_once(sums.get(graphs.parts.predict, 0))

    def score(
        self,
        users: F32 | Clicks,
        items: Rows,
        owner: I32,
        candidates: I32,
        context: F32 | None = None,
    ) -> F32:
        """[P] logits of the pairs (row `owner` of users, row `candidates` of items [N, D]), with
        the numbers [P, n] of their moments where the predictor reads them."""
        verify_range("owner", owner, len(users))
        verify_range("candidates", candidates, len(items))
        wide = users.rows.shape[1] if isinstance(users, Clicks) else users[:1, ..., 0].size
        step = pairs_at_once(max(wide, 1) * items.shape[1])
        scores = np.empty(len(owner), dtype=np.float32)
        for chosen in pair_parts(owner, step, self.most):
            numbers = None if context is None else context[chosen]
            scores[chosen] = self.chunk(users, items, owner[chosen], candidates[chosen], numbers)
        return scores

    def chunk(
        self,
        users: F32 | Clicks,
        items: Rows,
        owner: I32,
        candidates: I32,
        context: F32 | None = None,
    ) -> F32:
        if self.inner_product and not self.reads_moment and not isinstance(users, Clicks):
            return self.calibrated(np.einsum("pd,pd->p", users[owner], items[candidates]))
        distinct, place = np.unique(owner, return_inverse=True)
        if isinstance(users, Clicks):
            return self.target(users.rows[distinct], items, place, items[candidates], context)
        return self.graphs.predict(users[distinct], items[candidates], place, None, context)

    def calibrated(self, products: F32, prior: F32 | None = None) -> F32:
        """What the graph of an inner product does at its end; the bias is part of `prior`, which
        came from that graph."""
        found = self.graphs.parts.calibration
        scaled = products if found is None else products / found.temperature
        if prior is not None:
            return scaled + prior
        return scaled if found is None else scaled + found.bias

    def target(
        self,
        rows: I32,
        items: Rows,
        owner: NDArray[np.integer],
        candidates: F32,
        context: F32 | None,
    ) -> F32:
        """Users given as rows of clicks [U, S], cut to the longest before they are gathered."""
        longest = max(int((rows > 0).sum(axis=1).max(initial=0)), 1)
        rows = rows[:, :longest]
        return self.graphs.predict(items[rows], candidates, owner, rows > 0, context)

    def every(
        self,
        users: Sequence[F32],
        items: Rows,
        context: F32 | None = None,
        prior: F32 | None = None,
    ) -> Iterator[F32]:
        """[N] logits of all items for each user, given as `one` takes them. Where the catalogue is
        small, users of like length share a call of the graph."""
        items = items[:]
        largest = max((user.size for user in users), default=1)
        together = min(pairs_at_once(largest) // max(len(items), 1), self.most)
        if self.inner_product or self.prefixed or together < 2 or len(users) < 2:
            yield from (self.one(user, items, context, prior) for user in users)
            return
        clicks = self.graphs.parts.plan.keeps_clicks
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
                None if context is None else np.tile(context, (len(part), 1)),
            ).reshape(len(part), len(items))  # fmt: skip
        yield from scores

    def one(
        self, user: F32, candidates: Rows, context: F32 | None = None, prior: F32 | None = None
    ) -> F32:
        """[P] logits of one user ([D], [C, D], or clicks [S, D]) and candidates [P, D].

        context: the numbers [P, n] of the moment. prior: what they add to each score, where the
        caller knows it and the scores are inner products.
        """
        if self.inner_product and (prior is not None or not self.reads_moment):
            return self.calibrated(product(candidates[:], user), prior)
        step = answers_at_once(user.size) if self.prefixed else pairs_at_once(user.size)
        mask = None
        if self.graphs.parts.plan.user in ("clicks", "prefix", "texts"):
            mask = np.ones((1, len(user)), dtype=bool)
        scores = np.empty(len(candidates), dtype=np.float32)
        for start in range(0, len(candidates), step):
            part = candidates[start : start + step]
            owner = np.zeros(len(part), dtype=np.int32)
            numbers = None if context is None else context[start : start + step]
            scores[start : start + step] = self.graphs.predict(
                user[None], part, owner, mask, numbers
            )
        return scores

    def prior(self, candidates: Rows, context: F32 | None) -> F32:
        """[P]: what the moment adds to an inner product, which the predictor's graph gives for a
        user of zeros."""
        return self.one(np.zeros(candidates.shape[1], dtype=np.float32), candidates, context)


def stack_users(users: Sequence[F32], mask: NDArray[np.bool_]) -> F32:
    """Users as their clicks [S, D] of different S as one [U, S, D], zeros where the mask is not."""
    stacked = np.zeros((*mask.shape, users[0].shape[-1]), dtype=np.float32)
    for place, clicks in enumerate(users):
        stacked[place, : len(clicks)] = clicks
    return stacked
