"""The graphs of a bundle as an engine of the evaluator: rows go in, scores come out.

Letters: N items, U users, S clicks, D width, P pairs, C vectors of a user.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.bundle import Bundle, open_bundle
from legoc_runtime.chunks import by_length, stack_padded
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.histories import Inputs
from legoc_runtime.prefixes import Spent, score_by_user
from legoc_runtime.prompting import gather_texts, texts_at_once
from legoc_runtime.scoring import Clicks, Scorer
from legoc_runtime.sessions import Settings
from legoc_runtime.table import Table, load_table


@dataclass(frozen=True, kw_only=True)
class ReadItems:
    """Items of a model that flattens: their vectors [N, D], and what the user encoder reads of
    them."""

    vectors: F32
    inputs: Inputs


class Engine:
    """Encodes and scores with a bundle.

    ids: the item of each row of the evaluated data (row 0 the padding item). They are read where
    the bundle's items are rows of a table, which are matched by id.
    stored: the evaluated data is that of the bundle, so its item vectors are taken as they are and
    no item is encoded again.
    """

    name = "onnxruntime"

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        ids: Sequence[str] = (),
        stored: bool = False,
        settings: Settings | None = None,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
        self.graphs = Graphs(self.bundle, settings or Settings())
        self.scorer = Scorer(self.graphs)
        self.reads_user = self.bundle.parts.plan.reads_user
        self.ids = ids
        self.stored = stored
        self.prefixes = Spent()

    def encode_items(self, inputs: Inputs) -> F32 | ReadItems:
        """[N, D], row 0 zero. Raises RequestError where a table has no row for an item."""
        vectors = self.encode_vectors(inputs)
        if self.bundle.parts.flattens:
            return ReadItems(vectors=vectors, inputs=inputs)
        return vectors

    @property
    def by_owner(self) -> bool:
        """Whether a user is too large to keep, so that pairs come all at once, user by user."""
        return self.bundle.parts.plan.user == "prefix"

    def encode_vectors(self, inputs: Inputs) -> F32:
        """[N, D], row 0 zero."""
        if self.stored or not self.graphs.encodes_items:
            origin = getattr(inputs, "origin", None)
            rows = np.arange(len(inputs.lengths)) if origin is None else np.asarray(origin)
            return self.table_rows(rows)
        items = np.zeros((len(inputs.lengths), self.bundle.parts.plan.width), dtype=np.float32)
        for rows in by_length(inputs.lengths, first=1):
            items[rows] = self.graphs.encode_items(inputs.rows(rows))
        return items

    @cached_property
    def table(self) -> Table:
        return load_table(self.bundle)

    def table_rows(self, rows: NDArray[np.integer]) -> F32:
        """The vectors of items that are rows of the bundle's table, found by their ids."""
        table = self.table
        names = [self.ids[row] if row else "" for row in map(int, rows)]
        found = np.array([table.places.get(name, 0) for name in names], dtype=np.int32)
        missing = [name for name, place in zip(names, found, strict=True) if name and not place]
        if missing:
            shown = ", ".join(f"`{name}`" for name in missing[:3])
            raise RequestError(
                f"the items of this model are rows of a table, and {len(missing)} items of the "
                f"data have none: {shown}",
                "evaluate on the data the model was trained for",
            )
        return table.vectors[found]

    def encode_users(
        self, items: F32 | ReadItems, clicks: Iterable[I32], users: Iterable[I32]
    ) -> F32 | Clicks:
        """[U, D] or [U, C, D] of blocks of click rows [m, S] and users [m]; for a target-aware
        predictor the clicks themselves."""
        plan = self.bundle.parts.plan
        if plan.keeps_clicks or plan.user == "prefix":
            return Clicks(rows=stack_padded(list(clicks)))
        if isinstance(items, ReadItems):
            return self.read_users(items, clicks, users)
        encoded = [
            self.graphs.encode_users(items[block], block > 0, names)
            for block, names in zip(clicks, users, strict=True)
        ]
        return np.concatenate(encoded) if encoded else items[:0]

    def read_users(self, items: ReadItems, clicks: Iterable[I32], users: Iterable[I32]) -> F32:
        """[U, D] of the tokens of the clicks, in blocks that bound what attention needs."""
        encoded = [items.vectors[:0]]
        for block, names in zip(clicks, users, strict=True):
            prompt = self.bundle.parts.prompt
            for part in texts_at_once(prompt, items.inputs, block):
                given = gather_texts(prompt, items.inputs, block[part])
                encoded.append(self.graphs.read_users(given, names[part]))
        return np.concatenate(encoded)

    def score(
        self,
        users: F32 | Clicks,
        items: F32 | ReadItems,
        owner: I32,
        candidates: I32,
        context: F32 | None = None,
    ) -> F32:
        """[P] logits of the pairs (row `owner` of users, row `candidates` of items); `context` are
        the numbers [P, n] of their moments, for a predictor that reads them."""
        if isinstance(items, ReadItems):
            if self.by_owner and isinstance(users, Clicks):
                return self.answer(users, items, owner, candidates, context)
            items = items.vectors
        return self.scorer.score(users, items, owner, candidates, context)

    def answer(
        self, users: Clicks, items: ReadItems, owner: I32, candidates: I32, context: F32 | None
    ) -> F32:  # fmt: skip
        """[P] logits where a user is what a language model keeps of a history: each is read once,
        and dropped with its last candidate."""
        prompt = self.bundle.parts.prompt
        assert prompt is not None

        def follow(
            states: F32, mask: NDArray[np.bool_], places: NDArray[np.integer],
            chosen: NDArray[np.integer],
        ) -> F32:  # fmt: skip
            numbers = None if context is None else context[chosen]
            return self.graphs.predict(
                states, items.vectors[candidates[chosen]], places, mask, numbers
            )

        return score_by_user(
            owner,
            prompts=lambda rows: prompt.users(items.inputs, users.rows[rows]),
            read=lambda ids, mask: self.graphs.read_users({"tokens": ids, "tokens_mask": mask}),
            follow=follow,
            width=self.graphs.user_dims()[-1],
            spent=self.prefixes,
        )
