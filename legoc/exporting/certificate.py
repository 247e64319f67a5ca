"""The proof that a bundle computes what the trained model does, over real rows of its data.

Probes say that a graph is right at every shape; this says that it is right on this data, and that
the ranking and the metrics are the same. Letters as in `engine`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, Log
from legoc.data.reading.inputs import Chosen, ItemInputs
from legoc.evaluation.compute import compute
from legoc.exporting import engine
from legoc.exporting.engine import Side
from legoc.exporting.gates import Figure, relative_difference, verify_difference, verify_finite
from legoc.exporting.sample import Sample, draw_sample
from legoc.language.ir.plan import Graph
from legoc.language.ir.spec import Call
from legoc_runtime.prompting import texts_at_once


TOP = 10
RANKED_USERS = 20
RANKED_ITEMS = 500
REAL_USERS = 64
REAL_PAIRS = 256
# Pairs and users in one call where a user is a prefix.
FEW = 8


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What both engines make of the same rows of a split.

    difference: of the scores. agreement: the mean share of the `top` best of `candidates` items
    that both engines name, over `users` users. metrics: name -> figure of torch, of onnxruntime.
    """

    split: str
    groups: int
    of: int
    rows: int
    difference: float
    top: int
    users: int
    candidates: int
    agreement: float | None
    metrics: Mapping[str, tuple[float, float]]

    def to_json(self) -> dict[str, Any]:
        return {
            "split": self.split, "groups": self.groups, "of": self.of, "rows": self.rows,
            "difference": self.difference,
            "top": {
                "k": self.top, "users": self.users, "items": self.candidates,
                "agreement": self.agreement,
            },
            "metrics": {
                name: {
                    "torch": number(ours), "onnxruntime": number(theirs),
                    "difference": number(theirs - ours),
                }
                for name, (ours, theirs) in self.metrics.items()
            },
        }  # fmt: skip


def number(value: float) -> float | None:
    return None if math.isnan(value) else value


def choose_split(logs: Mapping[str, Log]) -> str | None:
    """The part of the data the certificate scores: labelled, and not trained on if possible."""
    for split in ("valid", "test", "train"):
        if split in logs and logs[split].rows and not np.isnan(logs[split].label).all():
            return split
    return None


def ranked_items(items: int, seed: int) -> I32:
    """The items that the top-k agreement is taken over."""
    random = np.random.Generator(np.random.Philox(key=seed))
    count = min(RANKED_ITEMS, items - 1)
    return (1 + random.choice(items - 1, count, replace=False)).astype(np.int32)


def certify(
    torch_side: Side,
    onnx_side: Side,
    torch_table: F32 | None,
    onnx_table: F32,
    inputs: ItemInputs,
    log: Log,
    split: str,
    metrics: Sequence[Call],
    *,
    seed: int,
    tolerance: float | None,
) -> tuple[Whole, dict[str, Figure]]:
    """The whole on one split, and the figure of each graph on real rows.

    onnx_table: the bundle's item matrix [N, D]. torch_table: torch's, for item tables; None where
    torch encodes the items it needs. tolerance: None for converted graphs, whose differences are
    recorded and not judged. Errors: E0823, E0824.
    """
    candidates = ranked_items(len(onnx_table), seed)
    sample = draw_sample(log, seed=seed, further=candidates)
    if onnx_side.plan.flattens:
        read = Chosen(inputs=inputs, origin=sample.items)
        torch_side, onnx_side = replace(torch_side, inputs=read), replace(onnx_side, inputs=read)
    theirs = onnx_table[sample.items]
    graph = onnx_side.plan.item_encoder
    if onnx_side.plan.user in ("prefix", "texts"):
        ours = theirs
    elif graph is None and torch_table is not None:
        ours = torch_table[sample.items]
    else:
        ours = engine.encode_items(
            torch_side.runs[require(graph).name], require(graph), inputs, sample.items,
            prompt=onnx_side.prompt,
        )  # fmt: skip
    figures: dict[str, Figure] = {}
    if graph is not None:
        figures[graph.name] = judge(graph, ours, theirs, tolerance)
    figures |= compare_pairs(torch_side, onnx_side, ours, sample.log, tolerance)
    scores = [
        engine.score_log(side, vectors, sample.log)
        for side, vectors in ((torch_side, ours), (onnx_side, theirs))
    ]
    figure = judge(require(onnx_side.plan.graph("predictor")), *scores, tolerance)
    places = np.searchsorted(sample.items, candidates).astype(np.int32)
    users = ranked_users(sample)
    whole = Whole(
        split=split, groups=sample.groups, of=sample.of, rows=sample.log.rows,
        difference=figure.difference, top=min(TOP, len(places)), users=len(users),
        candidates=len(places),
        agreement=agree(torch_side, onnx_side, ours, theirs, sample.log, users, places),
        metrics=compare_metrics(metrics, scores, sample.log),
    )  # fmt: skip
    return whole, figures


def require(graph: Graph | None) -> Graph:
    if graph is None:
        raise TypeError("the plan has no such graph")
    return graph


def judge(
    graph: Graph, ours: NDArray[Any], theirs: NDArray[Any], tolerance: float | None
) -> Figure:
    """The figure of outputs on real rows, which has to be finite and within the tolerance."""
    verify_finite(graph, "real rows", "torch", ours)
    verify_finite(graph, "real rows", "onnxruntime", theirs)
    figure = Figure(
        probe="real rows",
        difference=relative_difference(ours, theirs),
        largest=float(np.abs(ours).max(initial=0.0)),
    )
    verify_difference(graph, figure, tolerance)
    return figure


def compare_pairs(
    torch_side: Side, onnx_side: Side, vectors: F32, log: Log, tolerance: float | None
) -> dict[str, Figure]:
    """User encoder and predictor, each given the same real inputs in both engines."""
    figures: dict[str, Figure] = {}
    prefixed = onnx_side.plan.user == "prefix"
    few = onnx_side.plan.user in ("prefix", "texts")
    most_users, most_pairs = (FEW, FEW * FEW) if few else (REAL_USERS, REAL_PAIRS)
    histories = np.arange(min(most_users, log.histories), dtype=np.int32)
    if onnx_side.inputs is not None:
        # One call each: as many as attention over all their tokens has room for.
        clicks = log.padded(histories)
        part = next(texts_at_once(onnx_side.prompt, onnx_side.inputs, clicks), slice(0))
        histories = histories[part]
    users = None
    graph = onnx_side.plan.graph("user_encoder")
    if graph is not None:
        inputs = engine.user_inputs(onnx_side, vectors, log, histories)
        users = torch_side.runs["user_encoder"](inputs)
        figures["user_encoder"] = judge(
            graph, users, onnx_side.runs["user_encoder"](inputs), tolerance
        )
    rows = np.flatnonzero(log.history < len(histories))[:most_pairs]
    numbers = log.numbers(slice(0, log.rows))
    moments = None if numbers is None else numbers[rows]
    if users is not None and prefixed:
        _, mask = engine.text_of(onnx_side, log, histories)
        inputs = engine.ending_inputs(
            users, mask, log.history[rows], vectors[log.item[rows]], moments
        )
    elif onnx_side.plan.user == "texts":
        inputs = engine.whole_inputs(
            onnx_side, vectors, log, log.history[rows], log.item[rows], moments
        )
    else:
        inputs = engine.pair_inputs(vectors, log, users, log.history[rows], log.item[rows], moments)
    figures["predictor"] = judge(
        require(onnx_side.plan.graph("predictor")),
        torch_side.runs["predictor"](inputs),
        onnx_side.runs["predictor"](inputs),
        tolerance,
    )
    return figures


def ranked_users(sample: Sample) -> I32:
    """The first histories of the sample that hold a click: all items tie for an empty one."""
    filled = np.flatnonzero(np.diff(sample.log.starts) > 0)
    return filled[:RANKED_USERS].astype(np.int32)


def agree(
    torch_side: Side, onnx_side: Side, ours: F32, theirs: F32, log: Log, users: I32, items: I32
) -> float | None:
    """The mean share of common items among the best `TOP` of `items`; None without users."""
    if not len(users) or not len(items):
        return None
    history, item = np.repeat(users, len(items)), np.tile(items, len(users))
    context = None
    if log.context is not None:
        # All items at the moment at which the user was offered the first of theirs.
        first = np.full(log.histories, np.iinfo(np.int64).max)
        np.minimum.at(first, log.history, log.moment)
        context = log.context.at(item, first[history])
    best: list[NDArray[np.int64]] = []
    for side, vectors in ((torch_side, ours), (onnx_side, theirs)):
        encoded = None
        if side.keeps_users:
            every = np.arange(int(users.max()) + 1, dtype=np.int32)
            encoded = engine.encode_users(side, vectors, log, every)
        scores = engine.score_pairs(side, vectors, log, encoded, history, item, context)
        order = np.argsort(-scores.reshape(len(users), -1), axis=1, kind="stable")
        best.append(order[:, :TOP])
    common = [len(np.intersect1d(a, b)) for a, b in zip(*best, strict=True)]
    return float(np.mean(common) / best[0].shape[1])


def compare_metrics(
    metrics: Sequence[Call], scores: Sequence[F32], log: Log
) -> dict[str, tuple[float, float]]:
    labelled = ~np.isnan(log.label)
    torch_figures, onnx_figures = (
        compute(metrics, found[labelled], log.label[labelled], log.group[labelled])
        for found in scores
    )
    return {name: (torch_figures[name].value, onnx_figures[name].value) for name in torch_figures}
