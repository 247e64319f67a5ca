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
from legoc_runtime.histories import gather_tokens, histories_at_once
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
    flattens reads of the items of a log, None for others. profiles: what is known of users, for an
    encoder that reads it."""

    plan: Plan
    runs: Mapping[str, Run]
    inputs: ItemInputs | None = None
    profiles: Profiles | None = None


def encode_items(
    run: Run, graph: Graph, inputs: ItemInputs, items: I32, progress: Progress = SILENT
) -> F32:
    """The vectors [I, D] of some items, encoded in buckets of like length; row 0 gives zeros. The
    user encoder of a model without a content stage reads each as a history of one click."""
    width = int(graph.outputs[0].dims[-1])
    vectors = np.zeros((len(items), width), dtype=np.float32)
    real = np.flatnonzero(items)
    order = real[np.argsort(inputs.lengths[items[real]], kind="stable")]
    with progress.task("items", len(order)) as task:
        for start in range(0, len(order), ITEMS):
            block = order[start : start + ITEMS]
            given = feed(inputs.rows(items[block]))
            if graph.name == "user_encoder":
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
        parts = list(histories_at_once(log.padded(histories), side.inputs))
    return np.concatenate(
        [side.runs["user_encoder"](user_inputs(side, vectors, log, histories[p])) for p in parts]
    )


def user_inputs(side: Side, vectors: F32, log: Log, histories: I32) -> Tensors:
    clicks = log.padded(histories)
    inputs: dict[str, NDArray[Any]] = {}
    if side.inputs is not None:
        inputs |= feed(gather_tokens(side.inputs, clicks))
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
    if side.plan.user != "clicks":
        users = encode_users(side, vectors, log, np.arange(log.histories, dtype=np.int32))
    context = log.numbers(slice(0, log.rows))
    return score_pairs(side, vectors, log, users, log.history, log.item, context)
