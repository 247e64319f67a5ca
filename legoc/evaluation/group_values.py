"""What each group contributes to a figure: the ground of intervals and of comparisons.

Letters: R rows, G groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from legoc.evaluation.compute import better, build_metric, metric_name, verify_finite
from legoc.evaluation.ranking import F64, I64, Ranking, rank
from legoc.language.ir.spec import Call


@dataclass(frozen=True, kw_only=True)
class GroupValues:
    """A metric by groups: the figure is the sum of `numerator` [G] over that of `denominator` [G].

    For a metric of groups the numerator is its value and the denominator 1, both 0 where the group
    lacks a class. better: which values of the metric are better.
    """

    over: Literal["groups", "rows"]
    better: Literal["higher", "lower"]
    numerator: F64
    denominator: F64

    @property
    def figure(self) -> float:
        """NaN where nothing was counted."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total else float("nan")


def measure_groups(
    metrics: Sequence[Call], scores: ArrayLike, labels: ArrayLike, groups: ArrayLike, count: int
) -> Mapping[str, GroupValues]:
    """The metrics by name, for groups 0 ... count - 1. scores, labels, groups [R] as in `compute`,
    rows without a label left out by the caller. A metric whose rows cannot be told apart by groups
    is left out."""
    logits = np.asarray(scores, dtype=np.float32)
    positive = np.asarray(labels) > 0.5
    grouping: I64 = np.asarray(groups).astype(np.int64)
    verify_finite(logits)
    ranking = None
    found: dict[str, GroupValues] = {}
    for call in metrics:
        metric = build_metric(call)
        over = metric.declaration.facts["over"]
        if over == "rows":
            if not hasattr(metric, "shares"):
                continue
            numerator, denominator = metric.shares(logits, positive, grouping, count)
        else:
            if ranking is None:
                ranking = rank(logits, positive, grouping)
            found |= values_of_ranking((call,), ranking, count)
            continue
        found[metric_name(call)] = GroupValues(
            over=over, better=better(call), numerator=numerator, denominator=denominator
        )
    return found


def values_of_ranking(
    metrics: Sequence[Call], ranking: Ranking, count: int
) -> dict[str, GroupValues]:
    """Metrics of groups by name, for groups 0 ... count - 1."""
    found: dict[str, GroupValues] = {}
    for call in metrics:
        numerator, denominator = np.zeros(count), np.zeros(count)
        numerator[ranking.names] = build_metric(call).measure(ranking)
        denominator[ranking.names] = 1
        found[metric_name(call)] = GroupValues(
            over="groups", better=better(call), numerator=numerator, denominator=denominator
        )
    return found
