"""An engine without caches: it proves that cached equals uncached, and shows what caching saves.

Letters: P pairs, S clicks, R runs of pairs of one user.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import Array, Chosen, ItemInputs
from legoc.evaluation.engine import Engine
from legoc_runtime.chunks import stack_padded


SLOTS_AT_ONCE = 2_048


@dataclass(frozen=True, kw_only=True)
class Users:
    """Click rows [U, S] and users [U], nothing encoded."""

    clicks: I32
    users: I32


class Uncached:
    """Wraps an engine so that nothing is kept from one score to the next.

    mode "pair": every pair encodes its candidate, each of its clicks and its user anew. mode
    "impression": the clicks and the user are encoded once per run of adjacent rows of one user,
    the candidates once each, as frameworks do that keep nothing between impressions.
    """

    def __init__(self, engine: Engine, mode: Literal["pair", "impression"] = "pair") -> None:
        self.engine = engine
        self.mode = mode
        self.name = f"{engine.name}, uncached ({mode})"
        self.reads_user = engine.reads_user

    def encode_items(self, inputs: ItemInputs) -> ItemInputs:
        return inputs

    def encode_users(self, items: ItemInputs, clicks: Iterable[I32], users: Iterable[I32]) -> Users:
        return Users(
            clicks=stack_padded(list(clicks)),
            users=np.concatenate([np.zeros(0, dtype=np.int32), *users]),
        )

    def score(
        self, users: Users, items: ItemInputs, owner: I32, candidates: I32,
        context: F32 | None = None,
    ) -> F32:  # fmt: skip
        """[P] logits, encoding about `SLOTS_AT_ONCE` items per call of the engine."""
        bounds = np.arange(len(owner) + 1)
        if self.mode == "impression":
            changes = np.flatnonzero(np.diff(owner)) + 1
            bounds = np.concatenate(([0], changes, [len(owner)])) if len(owner) else bounds
        runs = owner[bounds[:-1]]
        slots = np.cumsum((users.clicks[runs] > 0).sum(axis=1) + np.diff(bounds))
        scores = np.empty(len(owner), dtype=np.float32)
        first = 0
        while first < len(runs):
            spent = slots[first - 1] if first else 0
            last = max(int(np.searchsorted(slots, spent + SLOTS_AT_ONCE, side="right")), first + 1)
            rows = slice(int(bounds[first]), int(bounds[last]))
            sizes = np.diff(bounds[first : last + 1])
            scores[rows] = self.encode_and_score(
                users, items, runs[first:last], sizes, candidates[rows],
                None if context is None else context[rows],
            )  # fmt: skip
            first = last
        return scores

    def encode_and_score(
        self, users: Users, items: ItemInputs, runs: I32, sizes: Array, candidates: I32,
        context: F32 | None,
    ) -> F32:  # fmt: skip
        """Scores of R runs of pairs: `sizes` [R] pairs each, candidates end to end."""
        clicks = users.clicks[runs]
        real = clicks > 0
        count = int(real.sum())
        origin = np.concatenate(([0], clicks[real], candidates)).astype(np.int32)
        encoded = self.engine.encode_items(Chosen(inputs=items, origin=origin))
        places = np.zeros_like(clicks)
        places[real] = 1 + np.arange(count, dtype=np.int32)
        made = self.engine.encode_users(encoded, [places], [users.users[runs]])
        owner = np.repeat(np.arange(len(runs), dtype=np.int32), sizes)
        pairs = 1 + count + np.arange(len(candidates), dtype=np.int32)
        return self.engine.score(made, encoded, owner, pairs, context)
