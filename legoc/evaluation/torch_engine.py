"""The torch engine: a Recommender in evaluation mode, its caches on its own device.

Letters: N items, U users, S clicks, D width, P pairs, C vectors of a user.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import ItemInputs
from legoc.model.recommender import Recommender
from legoc.model.tensors import to_inputs, to_tensor
from legoc_runtime.chunks import by_length, pair_parts, pairs_at_once, stack_padded, users_at_once
from legoc_runtime.pair_texts import lay_pairs, score_texts
from legoc_runtime.prefixes import Spent, score_by_user
from legoc_runtime.prompting import gather_texts, texts_at_once


# Pairs whose texts are laid out at a time.
LAID = 2048


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """Users of a target-aware predictor: rows of Items [U, S] on the device, padded with 0."""

    rows: Tensor


@dataclass(frozen=True, kw_only=True)
class ReadItems:
    """Items of a model that flattens: their vectors [N, D], and what the user encoder reads of
    them."""

    vectors: Tensor
    inputs: ItemInputs


class TorchEngine:
    """Encodes and scores with a Recommender. Its mode (training or evaluation) is restored after
    every call, so that a training loop can hand its model over as it stands."""

    name = "torch"

    def __init__(self, recommender: Recommender, device: torch.device | str | None = None) -> None:
        self.device = torch.device(recommender.device if device is None else device)
        # Where it stands already it may have let go of weights, which no move survives.
        stands = recommender.device == self.device
        self.recommender = recommender if stands else recommender.to(self.device)
        self.reads_user = recommender.reads_user
        # Where a user is large: pairs come user by user, and all at once.
        prompt = recommender.prompt
        self.by_owner = prompt is not None and prompt.joined and not recommender.reads_pairs
        self.prefixes = Spent()
        # Of a predictor that adds up what a user's clicks hold: over how many rows.
        self.most = users_at_once(getattr(recommender.predict, "rows", 0))

    def encode_items(self, inputs: ItemInputs) -> Tensor | ReadItems:
        """[N, D], row 0 zero."""
        lengths = np.asarray(inputs.lengths)
        prompt = self.recommender.prompt
        if prompt is not None and prompt.joined:
            return ReadItems(vectors=torch.zeros(0, device=self.device), inputs=inputs)
        with evaluating(self.recommender):
            items_ND = torch.zeros(len(lengths), self.recommender.width, device=self.device)
            for rows in by_length(lengths, first=1):
                given = to_inputs(inputs.rows(rows), self.device)
                items_ND[to_tensor(rows, self.device).long()] = self.recommender.encode_items(
                    given
                ).float()
        if self.recommender.flatten is not None:
            return ReadItems(vectors=items_ND, inputs=inputs)
        return items_ND

    def encode_users(
        self, items: Tensor | ReadItems, clicks: Iterable[I32], users: Iterable[I32]
    ) -> Tensor | Clicks:
        """[U, D] or [U, C, D]; the clicks themselves for a target-aware predictor, and where a user
        is a prefix, which is too large to keep: each is read when its pairs are scored."""
        if self.recommender.reads_clicks or self.recommender.reads_pairs or self.by_owner:
            return Clicks(rows=to_tensor(stack_padded(list(clicks)), self.device))
        if isinstance(items, ReadItems):
            return self.read_users(items, clicks, users)
        encoded: list[Tensor] = []
        with evaluating(self.recommender):
            for block, names in zip(clicks, users, strict=True):
                rows_BS = to_tensor(block, self.device)
                users_B = to_tensor(names, self.device) if self.reads_user else None
                encoded.append(
                    self.recommender.encode_users(items[rows_BS.long()], rows_BS > 0, users_B)
                )
        return torch.cat(encoded) if encoded else items[:0]

    def read_users(self, items: ReadItems, clicks: Iterable[I32], users: Iterable[I32]) -> Tensor:
        """[U, D] of the tokens of the clicks, in blocks that bound what attention needs."""
        encoded = [items.vectors[:0]]
        prompt = self.recommender.prompt
        with evaluating(self.recommender):
            for block, names in zip(clicks, users, strict=True):
                for part in texts_at_once(prompt, items.inputs, block):
                    given = to_inputs(gather_texts(prompt, items.inputs, block[part]), self.device)
                    named_B = to_tensor(names[part], self.device) if self.reads_user else None
                    encoded.append(
                        self.recommender.encode_users(
                            given["tokens"], given["tokens_mask"], named_B
                        )
                    )
        return torch.cat(encoded)

    def score(
        self,
        users: Tensor | Clicks,
        items: Tensor | ReadItems,
        owner: I32,
        candidates: I32,
        context: F32 | None = None,
    ) -> F32:
        """[P] logits, in chunks that bound the memory of what is gathered per pair."""
        if self.by_owner:
            return self.answer(users, items, owner, candidates, context)
        if self.recommender.reads_pairs:
            return self.answer_whole(users, items, owner, candidates, context)
        if isinstance(items, ReadItems):
            items = items.vectors
        wide = users.rows.shape[1] if isinstance(users, Clicks) else max(users.dim() - 1, 1)
        step = pairs_at_once(wide * items.shape[1])
        scores = np.empty(len(owner), dtype=np.float32)
        with evaluating(self.recommender):
            for chosen in pair_parts(owner, step, self.most):
                numbers = None if context is None else context[chosen]
                scores[chosen] = self.score_chunk(
                    users, items, owner[chosen], candidates[chosen], numbers
                )
        return scores

    def answer(
        self, users: Clicks, items: ReadItems, owner: I32, candidates: I32, context: F32 | None
    ) -> F32:  # fmt: skip
        """[P] logits where the users are prefixes: each is read once and followed by the tokens of
        all its candidates."""
        prompt: Any = self.recommender.prompt
        flatten: Any = self.recommender.flatten
        clicks = users.rows.cpu().numpy()

        def read(ids: I32, mask: NDArray[np.bool_]) -> Tensor:
            states = self.recommender.encode_users(self.ids(ids), to_tensor(mask, self.device))
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)  # else its time would be that of the pairs
            return states

        def follow(
            states: Tensor, mask: NDArray[np.bool_], places: I32, chosen: I32
        ) -> F32:  # fmt: skip
            given = items.inputs.rows(candidates[chosen])
            ids, ended = prompt.candidates(given["tokens"], given["tokens_mask"])
            numbers = None if context is None else to_tensor(context[chosen], self.device)
            scores = self.recommender.score(
                states, self.ids(ids), to_tensor(places, self.device).long(),
                to_tensor(mask, self.device), numbers, to_tensor(ended, self.device),
            )  # fmt: skip
            return scores.float().cpu().numpy()

        with evaluating(self.recommender):
            return score_by_user(
                owner, prompts=lambda rows: prompt.users(items.inputs, clicks[rows]), read=read,
                follow=follow, width=flatten.state, floats=flatten.floats, spent=self.prefixes,
            )  # fmt: skip

    def answer_whole(
        self, users: Clicks, items: ReadItems, owner: I32, candidates: I32, context: F32 | None
    ) -> F32:  # fmt: skip
        """[P] logits where each pair is one text; texts are laid out for some pairs at a time."""
        prompt: Any = self.recommender.prompt
        clicks = users.rows.cpu().numpy()
        scores = np.empty(len(owner), dtype=np.float32)
        with evaluating(self.recommender):
            for start in range(0, len(owner), LAID):
                part = slice(start, start + LAID)
                numbers = None if context is None else context[part]
                scores[part] = self.read_pairs(
                    prompt, items.inputs, clicks, owner[part], candidates[part], numbers
                )
        return scores

    def read_pairs(
        self, prompt: Any, inputs: ItemInputs, clicks: I32, owner: I32, candidates: I32,
        context: F32 | None,
    ) -> F32:  # fmt: skip
        """The same of pairs whose texts are laid out together."""
        users, place = np.unique(owner, return_inverse=True)
        rows = clicks[users]
        items = np.unique(np.concatenate([[0], rows.ravel(), candidates]))
        given = inputs.rows(items.astype(np.int32))
        ids, mask = lay_pairs(
            prompt, np.asarray(given["tokens"]), np.asarray(given["tokens_mask"]),
            np.searchsorted(items, rows), rows > 0, place, np.searchsorted(items, candidates),
        )  # fmt: skip

        def score(ids: I32, mask: NDArray[np.bool_], chosen: NDArray[np.intp]) -> F32:
            numbers = None if context is None else to_tensor(context[chosen], self.device)
            made = self.recommender.score_whole(
                self.ids(ids), to_tensor(mask, self.device), numbers
            )
            return made.float().cpu().numpy()

        return score_texts(ids, mask, score)

    def ids(self, ids: I32) -> Tensor:
        return to_tensor(ids, self.device).long()

    def score_chunk(
        self,
        users: Tensor | Clicks,
        items: Tensor,
        owner: I32,
        candidates: I32,
        context: F32 | None,
    ) -> F32:
        numbers_Pn = None if context is None else to_tensor(context, self.device)
        distinct, place = np.unique(owner, return_inverse=True)
        items_PD = items[to_tensor(candidates, self.device).long()]
        distinct_U = to_tensor(distinct, self.device).long()
        owner_P = to_tensor(place, self.device).long()
        if isinstance(users, Clicks):
            rows_US = users.rows[distinct_U]
            # Users of like length stand together: what is gathered per pair ends with the longest.
            rows_US = rows_US[:, : max(int((rows_US > 0).sum(1).max()), 1)]
            clicks_USD = items[rows_US.long()]
            mask_US = rows_US > 0
            given = self.recommender.encode_users(clicks_USD, mask_US)
            scores = self.recommender.score(given, items_PD, owner_P, mask_US, numbers_Pn)
        else:
            scores = self.recommender.score(users[distinct_U], items_PD, owner_P, None, numbers_Pn)
        return scores.float().cpu().numpy()


@contextmanager
def evaluating(recommender: Recommender) -> Iterator[None]:
    """Evaluation mode without gradients; each part gets back the mode it had."""
    modes = [(part, part.training) for part in recommender.modules()]
    recommender.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
