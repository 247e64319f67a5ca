"""Encoding and scoring with graphs given as functions: torch and onnxruntime through one path.

The certificate compares the two, so everything around the graphs has to be the same for both.
Letters: I items, S clicks, D width, P pairs, R rows, M histories.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, Log
from legoc.data.reading.inputs import ItemInputs
from legoc.data.reading.profiles import Profiles
from legoc.exporting.gates import Run
from legoc.exporting.probes import Tensors
from legoc.language.ir.plan import PROFILE, Graph, Plan
from legoc.progress import SILENT, Progress
from legoc_runtime.pair_texts import item_rows as pair_rows
from legoc_runtime.pair_texts import pairs_of_rows, score_texts
from legoc_runtime.prefixes import score_by_user
from legoc_runtime.prompting import Prompt, as_rows, from_rows, gather_texts, texts_at_once
from legoc_runtime.sessions import Settings, open_session


ITEMS = 512
USERS = 256
PAIRS = 4096


def onnx_run(path: Path, graph: Graph) -> Run:
    """Runs the graph at `path` as the runtime does, on the CPU."""
    settings = Settings(providers=("CPUExecutionProvider",), strict=True)
    session = open_session(path, settings, graph.name)
    names = [port.name for port in graph.inputs]

    def run(inputs: Tensors) -> NDArray[np.float32]:
        return session.run({name: inputs[name] for name in names})

    return run


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two engines: its graphs by name, as functions. inputs: what a user encoder that
    flattens reads of the items of a log, None for others. prompt: what it reads around them, of a
    language model. profiles: what is known of users, for an encoder that reads it."""

    plan: Plan
    runs: Mapping[str, Run]
    inputs: ItemInputs | None = None
    profiles: Profiles | None = None
    prompt: Prompt | None = None

    @property
    def keeps_users(self) -> bool:
        """Whether users are kept: not where they are clicks, nor prefixes, which are read when
        their pairs are scored."""
        return self.plan.user in ("vector", "many")


def encode_items(
    run: Run, graph: Graph, inputs: ItemInputs, items: I32, progress: Progress = SILENT,
    prompt: Prompt | None = None,
) -> F32:  # fmt: skip
    """The vectors [I, D] of some items, encoded in buckets of like length; row 0 gives zeros. The
    user encoder of a model without a content stage reads each as a history of one click, or with a
    prompt as a text of its own."""
    width = int(graph.outputs[0].dims[-1])
    vectors = np.zeros((len(items), width), dtype=np.float32)
    real = np.flatnonzero(items)
    order = real[np.argsort(inputs.lengths[items[real]], kind="stable")]
    with progress.task("items", len(order)) as task:
        for start in range(0, len(order), ITEMS):
            block = order[start : start + ITEMS]
            given = feed(inputs.rows(items[block]))
            if prompt is not None:
                ids, mask = prompt.candidates(given["tokens"], given["tokens_mask"])
                given = feed({"tokens": ids, "tokens_mask": mask})
            elif graph.name == "user_encoder":
                given = {name: array[:, None] for name, array in given.items()}
            vectors[block] = run(given)
            task.advance(len(block))
    return vectors


def feed(arrays: Mapping[str, Any]) -> Tensors:
    """Arrays as graphs take them: ids are int64 there."""
    return {
        name: array.astype(np.int64)
        if np.issubdtype(array.dtype, np.integer)
        else np.asarray(array)
        for name, array in arrays.items()
    }


def encode_users(side: Side, vectors: F32, log: Log, histories: I32) -> F32:
    """The users [M, ...] of some histories of a log, whose items are rows of `vectors`."""
    graph = side.plan.graph("user_encoder")
    assert graph is not None
    shape = tuple(int(dim) for dim in graph.outputs[0].dims[1:])
    users = np.zeros((len(histories), *shape), dtype=np.float32)
    counts = np.diff(log.starts)[histories]
    order = np.argsort(counts, kind="stable")
    for start in range(0, len(order), USERS):
        block = order[start : start + USERS]
        users[block] = run_users(side, vectors, log, histories[block])
    return users


def run_users(side: Side, vectors: F32, log: Log, histories: I32) -> F32:
    """The users of a block, in parts where attention over their tokens would need too much."""
    if side.inputs is None:
        parts = [slice(0, len(histories))]
    else:
        parts = list(texts_at_once(side.prompt, side.inputs, log.padded(histories)))
    return np.concatenate(
        [side.runs["user_encoder"](user_inputs(side, vectors, log, histories[p])) for p in parts]
    )


def user_inputs(side: Side, vectors: F32, log: Log, histories: I32) -> Tensors:
    clicks = log.padded(histories)
    inputs: dict[str, NDArray[Any]] = {}
    if side.inputs is not None:
        inputs |= feed(gather_texts(side.prompt, side.inputs, clicks))
    else:
        inputs |= {"clicks": vectors[clicks], "clicks_mask": clicks > 0}
    if side.plan.reads_user:
        inputs["user"] = log.user[histories].astype(np.int64)
    if side.profiles is not None:
        rows = log.user[histories]
        for name, ids in side.profiles.ids.items():
            inputs[f"{PROFILE}{name}"] = ids[rows].astype(np.int64)
            inputs[f"{PROFILE}{name}_mask"] = side.profiles.mask(name)[rows]
    return inputs


def score_pairs(
    side: Side, vectors: F32, log: Log, users: F32 | None, history: I32, item: I32,
    context: F32 | None = None,
) -> F32:  # fmt: skip
    """Scores [P] of pairs of a history and an item; `users` [M, ...] are those of all histories of
    the log, None where the users are the clicks; `context` [P, n] the numbers of their moments."""
    if side.plan.user == "prefix":
        return answer_pairs(side, vectors, log, history, item, context)
    if side.plan.user == "texts":
        return score_whole(side, vectors, log, history, item, context)
    scores = np.zeros(len(item), dtype=np.float32)
    for start in range(0, len(item), PAIRS):
        part = slice(start, start + PAIRS)
        scores[part] = side.runs["predictor"](
            pair_inputs(
                vectors, log, users, history[part], item[part],
                None if context is None else context[part],
            )
        )  # fmt: skip
    return scores


def answer_pairs(
    side: Side, rows: F32, log: Log, history: I32, item: I32, context: F32 | None
) -> F32:
    """Scores [P] where users are prefixes and items the rows of their tokens [I, T]."""

    def follow(states: F32, mask: Any, places: I32, chosen: I32) -> F32:
        numbers = None if context is None else context[chosen]
        return side.runs["predictor"](
            ending_inputs(states, mask, places, rows[item[chosen]], numbers)
        )

    return score_by_user(
        history,
        prompts=lambda owners: text_of(side, log, owners),
        read=lambda ids, mask: side.runs["user_encoder"](
            feed({"tokens": ids, "tokens_mask": mask})
        ),
        follow=follow,
        width=side.plan.state,
    )


def score_whole(
    side: Side, rows: F32, log: Log, history: I32, item: I32, context: F32 | None
) -> F32:
    """Scores [P] where each pair is one text and items are the rows of their tokens [I, L]."""
    scores = np.zeros(len(item), dtype=np.float32)
    for start in range(0, len(item), PAIRS):
        part = slice(start, start + PAIRS)
        numbers = None if context is None else context[part]
        scores[part] = read_texts(
            side.runs["predictor"],
            whole_inputs(side, rows, log, history[part], item[part], numbers),
        )
    return scores


def read_texts(run: Run, given: Tensors) -> F32:
    """Scores [P] of texts that are laid out, those of like length together."""

    def score(ids: I32, mask: NDArray[np.bool_], chosen: NDArray[np.intp]) -> F32:
        more = {"context": given["context"][chosen]} if "context" in given else {}
        return run({"tokens": ids, "tokens_mask": mask, **more})

    ids: Any = given["tokens"]
    return score_texts(ids, np.asarray(given["tokens_mask"]), score)


def whole_inputs(
    side: Side, rows: F32, log: Log, history: I32, item: I32, context: F32 | None = None
) -> Tensors:
    """What the predictor reads of pairs whose items are rows of their tokens [I, L]."""
    assert side.prompt is not None
    distinct, owner = np.unique(history, return_inverse=True)
    clicks = log.padded(distinct)
    ids, mask = pairs_of_rows(side.prompt, rows[clicks], clicks > 0, rows[item], owner.reshape(-1))
    return feed({"tokens": ids, "tokens_mask": mask}) | (
        {} if context is None else {"context": context}
    )


def text_of(side: Side, log: Log, histories: NDArray[np.integer]) -> tuple[I32, NDArray[np.bool_]]:
    """The users' parts of some histories: ids I32[U, N], Bool[U, N]."""
    assert side.prompt is not None
    assert side.inputs is not None
    return side.prompt.users(side.inputs, log.padded(histories.astype(np.int32)))


def ending_inputs(
    states: F32, mask: Any, owner: NDArray[np.integer], rows: F32, context: F32 | None = None
) -> Tensors:
    """What the predictor reads of prefixes [U, N, W] and of the rows [P, T] of candidates."""
    ids, ended = from_rows(rows)
    numbers = {} if context is None else {"context": context}
    return {
        "users": states, "users_mask": mask, "items": ids, "items_mask": ended,
        "owner": owner.astype(np.int64), **numbers,
    }  # fmt: skip


def item_rows(prompt: Prompt, inputs: ItemInputs, items: I32, *, whole: bool = False) -> F32:
    """Items that end a text, as rows of their tokens [I, T], or where each pair is one text of
    their tokens alone; row 0 of the table gives zeros."""
    rows = np.zeros((len(items), prompt.each if whole else prompt.tail), dtype=np.float32)
    for start in range(0, len(items), ITEMS):
        given = inputs.rows(items[start : start + ITEMS])
        if whole:
            made = pair_rows(prompt, given["tokens"], given["tokens_mask"])
        else:
            ids, mask = prompt.candidates(given["tokens"], given["tokens_mask"])
            made = as_rows(ids, mask, prompt.tail)
        rows[start : start + ITEMS] = made
    rows[items == 0] = 0
    return rows


def pair_inputs(
    vectors: F32, log: Log, users: F32 | None, history: I32, item: I32,
    context: F32 | None = None,
) -> Tensors:  # fmt: skip
    distinct, owner = np.unique(history, return_inverse=True)
    inputs: dict[str, NDArray[Any]] = {}
    if users is None:
        clicks = log.padded(distinct)
        inputs |= {"users": vectors[clicks], "users_mask": clicks > 0}
    else:
        inputs["users"] = users[distinct]
    if context is not None:
        inputs["context"] = context
    return {**inputs, "items": vectors[item], "owner": owner.reshape(-1).astype(np.int64)}


def score_log(side: Side, vectors: F32, log: Log) -> F32:
    """The scores [R] of every row of a log."""
    users = None
    if side.keeps_users:
        users = encode_users(side, vectors, log, np.arange(log.histories, dtype=np.int32))
    context = log.numbers(slice(0, log.rows))
    return score_pairs(side, vectors, log, users, log.history, log.item, context)
