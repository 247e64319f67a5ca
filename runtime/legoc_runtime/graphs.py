"""The graphs of a bundle as functions of arrays, with everything checked before a call.

Letters: I items, U users, S clicks, D width, P pairs, C vectors of a user.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.manifest import Graph
from legoc_runtime.pair_texts import item_rows, pairs_of_rows, score_texts
from legoc_runtime.profiles import load_profiles
from legoc_runtime.prompting import Prompt, as_rows, from_rows
from legoc_runtime.sessions import Session, Settings, open_session


Array = NDArray[Any]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

DTYPES = {"int64": np.int64, "bool": np.bool_, "float32": np.float32}


class Graphs:
    """The sessions of a bundle. Safe to share between threads."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self.parts = bundle.parts
        context = bundle.parts.context
        numbers = () if context is None else context.numbers
        self.neutral = np.array([n.neutral for n in numbers], np.float32) if numbers else None
        self.sessions: dict[str, Session] = {}
        for name, graph in bundle.parts.graphs.items():
            session = open_session(
                bundle.read(graph.file), settings, name=graph.file, weights=bundle.weights(graph)
            )
            verify_inputs(graph, session)
            self.sessions[name] = session
        self.profiles = load_profiles(bundle)
        self.prompt = load_prompt(bundle)

    @property
    def encodes_items(self) -> bool:
        """Whether items are made from what they say; else they are rows of a table."""
        read = self.parts.plan.user in ("prefix", "texts")
        return self.parts.item_graph is not None or read

    def run(self, name: str, inputs: Mapping[str, Array]) -> F32:
        """Run one graph on inputs by name; they are cast to what it declares."""
        graph = self.parts.graphs[name]
        given = {
            port.name: np.ascontiguousarray(inputs[port.name], dtype=DTYPES[port.dtype])
            for port in graph.inputs
        }
        return self.sessions[name].run(given)

    def encode_items(self, inputs: Mapping[str, Array]) -> F32:
        """[I, D] of item inputs by name: ids [I, L] and masks [I, L], L may be 0. Of items that end
        a text the tokens of their part of it, as `prompting.as_rows` writes them."""
        prompt = self.prompt
        if prompt is not None:
            self.verify_ids(inputs)
            if self.parts.plan.user == "texts":
                return item_rows(prompt, inputs["tokens"], inputs["tokens_mask"])
            ids, mask = prompt.candidates(inputs["tokens"], inputs["tokens_mask"])
            if prompt.joined:
                return as_rows(ids, mask, self.parts.plan.width)
            if not len(ids):
                return np.zeros((0, self.parts.plan.width), dtype=np.float32)
            return self.read_users({"tokens": ids, "tokens_mask": mask})
        name = self.parts.item_graph
        assert name is not None
        filled = {
            port.name: at_least_one(inputs[port.name])
            for port in self.parts.graphs[name].inputs
            if port.name in inputs
        }
        count = len(next(iter(filled.values())))
        if not count:
            return np.zeros((0, self.parts.plan.width), dtype=np.float32)
        self.verify_ids(filled)
        if name == "user_encoder":
            return self.run(name, {given: array[:, None] for given, array in filled.items()})
        return self.run(name, filled)

    def verify_ids(self, inputs: Mapping[str, Array]) -> None:
        """Every token id has a row."""
        assert self.parts.reading is not None
        for name, array in inputs.items():
            if array.dtype != np.bool_:
                verify_range(name, array, int(self.parts.reading["rows"]))

    def read_users(
        self,
        inputs: Mapping[str, Array],
        users: I32 | None = None,
        profile: Mapping[str, Array] | None = None,
    ) -> F32:
        """[U, D] of histories as `tokens` [U, S, L] and `tokens_mask`, of a language model [U, N]
        of whole texts; `users` and `profile` as for `encode_users`. Of a model that goes on with
        each candidate the states [U, N, W]."""
        tokens = inputs["tokens"]
        if not len(tokens):
            return np.zeros((0, *self.user_dims()), dtype=np.float32)
        self.verify_ids({"tokens": tokens})
        return self.run("user_encoder", {**inputs, **self.known(len(tokens), users, profile)})

    def encode_users(
        self,
        clicks: F32,
        mask: Bool,
        users: I32 | None = None,
        profile: Mapping[str, Array] | None = None,
    ) -> F32:
        """[U, D] or [U, C, D] of click vectors [U, S, D] and their mask [U, S]; `users` [U] are
        rows of the user table, 0 for all unless given; `profile` what is known of them, by input,
        what the bundle knows of those rows unless given."""
        if not len(clicks):
            return np.zeros((0, *self.user_dims()), dtype=np.float32)
        inputs: dict[str, Array] = {
            "clicks": at_least_one(clicks),
            "clicks_mask": at_least_one(mask),
        }
        return self.run("user_encoder", {**inputs, **self.known(len(clicks), users, profile)})

    def known(
        self, count: int, users: I32 | None, profile: Mapping[str, Array] | None
    ) -> dict[str, Array]:
        """The inputs that say who so many users are, of a graph that reads it."""
        if not self.parts.plan.reads_user:
            return {}
        rows = np.zeros(count, dtype=np.int64) if users is None else users
        if profile is None and self.profiles is not None:
            profile = self.profiles.by_rows(rows)
        return {"user": rows, **(profile or {})}

    def user_dims(self) -> tuple[int, ...]:
        """The fixed dimensions of a user: [D] or [C, D]."""
        (port,) = self.parts.graphs["user_encoder"].outputs
        return tuple(dim for dim in port.dims if isinstance(dim, int))

    def predict(
        self,
        users: F32,
        items: F32,
        owner: NDArray[np.integer],
        mask: Bool | None = None,
        context: F32 | None = None,
    ) -> F32:
        """[P] logits of users [U, ...], candidates [P, D] and owners [P]; `mask` [U, S] where the
        users are clicks; `context` [P, n] where the predictor reads the moment, else the numbers
        that say nothing."""
        if not len(items):
            return np.zeros(0, dtype=np.float32)
        verify_range("owner", owner, len(users))
        inputs: dict[str, Array] = {"users": users, "items": items, "owner": owner}
        if self.neutral is not None:
            shape = (len(items), len(self.neutral))
            inputs["context"] = np.broadcast_to(self.neutral, shape) if context is None else context
        if self.parts.plan.user == "texts" and mask is not None:
            return self.predict_texts(users, mask, items, owner, inputs.get("context"))
        if self.parts.plan.user == "prefix":
            inputs["items"], inputs["items_mask"] = from_rows(items)
        if mask is not None:
            inputs["users"], inputs["users_mask"] = at_least_one(users), at_least_one(mask)
        return self.run("predictor", inputs)

    def predict_texts(
        self, users: F32, mask: Bool, items: F32, owner: NDArray[np.integer], context: Array | None
    ) -> F32:  # fmt: skip
        """[P] logits where each pair is one text, those of like length together."""
        prompt = self.prompt
        assert prompt is not None
        ids, real = pairs_of_rows(prompt, at_least_one(users), at_least_one(mask), items, owner)

        def score(ids: I32, mask: Bool, chosen: NDArray[np.intp]) -> F32:
            more = {} if context is None else {"context": context[chosen]}
            return self.run("predictor", {"tokens": ids, "tokens_mask": mask, **more})

        return score_texts(ids, real, score)


def load_prompt(bundle: Bundle) -> Prompt | None:
    """The prompt of a bundle, with its tokenizer where whole texts are tokenised."""
    told = (bundle.parts.reading or {}).get("prompt")
    if told is None or "whole" not in told:
        return bundle.parts.prompt
    from tokenizers import Tokenizer

    file = told["whole"]["tokenizer"]
    return Prompt.of(told, Tokenizer.from_str(bundle.read(file).decode("utf-8")))


def at_least_one(array: Array) -> Array:
    """The same with one (masked, zero) position where there is none: graphs refuse length 0."""
    if array.ndim < 2 or array.shape[1]:
        return array
    return np.zeros((array.shape[0], 1, *array.shape[2:]), dtype=array.dtype)


def verify_range(name: str, ids: Array, rows: int) -> None:
    """Every id is a row of its table: -1 would silently be the last one."""
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < rows:
        raise RequestError(
            f"`{name}` has ids from {int(ids.min())} to {int(ids.max())}, its table {rows} rows",
            "read the records with the reader of this bundle",
        )


def verify_inputs(graph: Graph, session: Session) -> None:
    """The graph takes what the manifest says it does."""
    types = {"int64": "tensor(int64)", "bool": "tensor(bool)", "float32": "tensor(float)"}
    declared = {port.name: types[port.dtype] for port in graph.inputs}
    if declared != session.inputs:
        raise BundleError(
            f"`{graph.file}` reads {', '.join(session.inputs) or 'nothing'}, the manifest says "
            f"{', '.join(declared) or 'nothing'}",
            "export the bundle again",
        )
    for port in (*graph.inputs, *graph.outputs):
        found = session.shapes.get(port.name)
        said = [dim if isinstance(dim, int) else None for dim in port.dims]
        if found != said:
            raise BundleError(
                f"`{port.name}` of `{graph.file}` has the dimensions {found}, the manifest says "
                f"{said}",
                "export the bundle again",
            )
