"""The figures of a list of metrics over labelled rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from legoc.evaluation.metrics import METRICS
from legoc.evaluation.ranking import Ranking, rank
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The value of one metric: NaN where no group (or row) could be counted.

    over: whether it is a mean over groups or taken over all rows at once. count: the groups or rows
    it is over; excluded: the groups left out because they lack a class.
    """

    value: float
    over: Literal["groups", "rows"]
    count: int
    excluded: int = 0

    def to_json(self) -> dict[str, Any]:
        """In JSON's types; NaN is null."""
        return {
            "value": plain(self.value),
            "over": self.over,
            "count": self.count,
            "excluded": self.excluded,
        }


def plain(value: float) -> float | None:
    """A value as JSON has it: null where there is none."""
    return None if math.isnan(value) else value


def metric_name(call: Call) -> str:
    """The name as written: `GAUC`, `NDCG(5)`, `F1(0.5)`."""
    given = ", ".join(
        str(value) if isinstance(value, int) else format(value, "g")
        for value in call.args.values()
        if value is not None
    )
    return f"{call.op}({given})" if given else call.op


def call_named(name: str) -> Call:
    """The metric of a name as `metric_name` writes it, with no parameters: `NDCG` of `NDCG(5)`."""
    return Call(op=name.partition("(")[0])


def better(call: Call) -> Literal["higher", "lower"]:
    """Which values of a metric are better."""
    return METRICS[call.op].declaration.facts["better"]


def build_metric(call: Call) -> Any:
    """The metric that a call names, with its parameters."""
    kind = METRICS[call.op]
    return kind(kind.Config(**call.args)) if call.args else kind()


def compute(
    metrics: Sequence[Call], scores: ArrayLike, labels: ArrayLike, groups: ArrayLike
) -> Mapping[str, Figure]:
    """The figures of `metrics`, by name and in their order.

    scores [R] are logits (read as float32), labels [R] 0 or 1 (a row counts as positive above 0.5),
    groups [R] ints from 0. Raises LegoError (E0590) where a score is not finite.
    """
    logits = np.asarray(scores, dtype=np.float32)
    positive = np.asarray(labels) > 0.5
    grouping = np.asarray(groups)
    verify_finite(logits)
    ranking = None
    figures: dict[str, Figure] = {}
    for call in metrics:
        metric = build_metric(call)
        if metric.declaration.facts["over"] == "rows":
            value = metric.measure(logits, positive)
            figures[metric_name(call)] = Figure(value=value, over="rows", count=len(logits))
            continue
        if ranking is None:
            ranking = rank(logits, positive, grouping)
        figures[metric_name(call)] = average(metric, ranking)
    return figures


def average(metric: Any, ranking: Ranking) -> Figure:
    """The figure of a metric of groups."""
    values = metric.measure(ranking)
    return Figure(
        value=float(values.mean()) if len(values) else float("nan"),
        over="groups",
        count=ranking.groups,
        excluded=ranking.excluded,
    )


def ranks(call: Call) -> bool:
    """Whether a metric is one of groups, which needs nothing but how rows are ranked."""
    return METRICS[call.op].declaration.facts["over"] == "groups"


def verify_finite(scores: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    broken = int((~np.isfinite(scores)).sum())
    if broken:
        raise fail(
            "E0590",
            f"{broken} of {len(scores)} scores are not finite numbers",
            "train with a smaller `lr`, or with `clip = 1`, and evaluate again",
        )
