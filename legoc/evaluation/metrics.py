"""The metrics of groups, one class each, over a ranking; and the table of all metrics.

Notation of a tied block: n rows, p of them positive; a rows and c positives rank above it. Of a
group: P positives. A grouped metric is, per group, the expected value over random orders of ties.
Its figure is the mean over the groups that have positives and negatives.
"""

from typing import Any

import numpy as np

from legoc.evaluation.metric import GROUPS, Metric
from legoc.evaluation.ranking import (
    F64,
    Ranking,
    discounts,
    harmonic,
    log_factorials,
    longest,
    separated,
)
from legoc.evaluation.row_metrics import AUC, ECE, F1, LogLoss
from legoc.language.declaring.declare import operator, param


@operator("metric", "GAUC", facts=GROUPS)
class GAUC(Metric):
    """Area under the ROC curve per group, then the plain mean over groups."""

    example = "GAUC"

    def measure(self, ranking: Ranking) -> F64:
        return separated(ranking)


@operator("metric", "MRR", facts=GROUPS)
class MRR(Metric):
    """Mean over all clicks of a group of 1 / rank, the form of MIND's public tables.

    A positive of a block stands at each of its n ranks equally often: (H(a + n) - H(a)) / n.
    """

    example = "MRR"

    def measure(self, ranking: Ranking) -> F64:
        sums = harmonic(longest(ranking))
        inverse = (sums[ranking.above + ranking.size] - sums[ranking.above]) / ranking.size
        return ranking.total(ranking.positives * inverse) / ranking.clicks


@operator("metric", "MRR0", facts=GROUPS)
class MRR0(Metric):
    """1 / rank of the first click of a group.

    The first positive lies in the first block that has any; it stands at place j there with
    probability C(n - j, p - 1) / C(n, p).
    """

    example = "MRR0"

    def measure(self, ranking: Ranking) -> F64:
        first = (ranking.before == 0) & (ranking.positives > 0)
        n, p, a = ranking.size[first], ranking.positives[first], ranking.above[first]
        sums, found = harmonic(longest(ranking)), np.zeros(ranking.groups)
        # With one positive it is at each place equally often, as in MRR.
        found[: len(n)] = (sums[a + n] - sums[a]) / n
        several = np.flatnonzero(p > 1)
        if len(several):
            # A block may be most of a catalogue, and many groups have the same one.
            blocks = np.stack([n, p, a], axis=1)[several]
            shapes, owner = np.unique(blocks, axis=0, return_inverse=True)
            logs = log_factorials(longest(ranking))
            values = np.array([expected_reciprocal(*shape, logs) for shape in shapes.tolist()])
            found[several] = values[owner.reshape(-1)]
        return found


def expected_reciprocal(n: int, p: int, a: int, logs: F64) -> float:
    """1 / rank of the first of p positives among n tied rows with a above them, on average. logs:
    of the factorials."""
    j = np.arange(1, n - p + 2)
    # C(n - j, p - 1) / C(n, p), where C(n, p) = n! / p! / (n - p)!
    chance = np.exp(
        logs[n - j] - logs[p - 1] - logs[n - j - p + 1] - logs[n] + logs[p] + logs[n - p]
    )
    return float((chance / (a + j)).sum())


@operator("metric", "NDCG", primary="k", facts=GROUPS)
class NDCG(Metric):
    """Normalised discounted cumulative gain of the first k ranks, with linear gain.

    Each row of a block has the gain p / n at every rank of the block.
    """

    example = "NDCG(10)"

    class Config:
        k: int = param(min=1, doc="ranks that count")

    def measure(self, ranking: Ranking) -> F64:
        k = self.config.k
        sums = discounts(longest(ranking))
        cut = np.minimum(ranking.above + ranking.size, k)
        weight = sums[cut] - sums[np.minimum(ranking.above, k)]
        gained = ranking.total(ranking.positives / ranking.size * weight)
        return gained / sums[np.minimum(ranking.clicks, k)]


@operator("metric", "HitRatio", primary="k", facts=GROUPS)
class HitRatio(Metric):
    """Whether any click of a group is among the first k ranks.

    Where rank k falls inside a block, m of its n rows are in: none of them is positive with
    probability C(n - p, m) / C(n, m).
    """

    example = "HitRatio(10)"

    class Config:
        k: int = param(min=1, doc="ranks that count")

    def measure(self, ranking: Ranking) -> F64:
        n, p = ranking.size, ranking.positives
        m = np.clip(self.config.k - ranking.above, 0, n)
        logs = log_factorials(longest(ranking))
        possible = n - p >= m
        free = np.where(possible, n - p, m)
        # C(free, m) / C(n, m), where the m! of both cancel
        missed = np.exp(logs[free] - logs[free - m] - logs[n] + logs[n - m]) * possible
        # A group misses only if every block does; blocks above the cut-off without positives and
        # blocks below it have missed = 1.
        first = np.searchsorted(ranking.group, np.arange(ranking.groups))
        return 1.0 - np.multiply.reduceat(missed, first) if len(first) else missed


@operator("metric", "Recall", primary="k", facts=GROUPS)
class Recall(Metric):
    """Share of the clicks of a group that are among the first k ranks."""

    example = "Recall(10)"

    class Config:
        k: int = param(min=1, doc="ranks that count")

    def measure(self, ranking: Ranking) -> F64:
        inside = np.clip(self.config.k - ranking.above, 0, ranking.size)
        return ranking.total(ranking.positives * inside / ranking.size) / ranking.clicks


@operator("metric", "LRAP", facts=GROUPS)
class LRAP(Metric):
    """Label-ranking average precision: the mean over clicks of the precision at their rank.

    A positive at place j of its block has c + 1 + q (j - 1) positives down to itself, where
    q = (p - 1) / (n - 1) is the chance that another row of the block is positive.
    """

    example = "LRAP"

    def measure(self, ranking: Ranking) -> F64:
        n, p, a, c = ranking.size, ranking.positives, ranking.above, ranking.before
        sums = harmonic(longest(ranking))
        inverse = sums[a + n] - sums[a]
        q = np.maximum(p - 1, 0) / np.maximum(n - 1, 1)
        precision = (c + 1 - q * (a + 1)) * inverse + q * n
        return ranking.total(p / n * precision) / ranking.clicks


@operator("metric", "MAP", primary="k", facts=GROUPS)
class MAP(Metric):
    """Mean average precision: over the clicks among the first k ranks, the precision at their rank,
    divided by the most clicks that k ranks can hold. Without k it is LRAP.

    The sum over the places of a block, as in LRAP, ends at rank k.
    """

    example = "MAP(10)"

    class Config:
        k: int | None = param(None, min=1, doc="ranks that count; `none` counts all")

    def measure(self, ranking: Ranking) -> F64:
        n, p, a, c = ranking.size, ranking.positives, ranking.above, ranking.before
        k = longest(ranking) if self.config is None else self.config.k or longest(ranking)
        m = np.clip(k - a, 0, n)
        sums = harmonic(longest(ranking))
        q = np.maximum(p - 1, 0) / np.maximum(n - 1, 1)
        precision = (c + 1 - q * (a + 1)) * (sums[a + m] - sums[a]) + q * m
        return ranking.total(p / n * precision) / np.minimum(ranking.clicks, k)


@operator("metric", "Precision", primary="k", facts=GROUPS)
class Precision(Metric):
    """Share of clicks among the first k ranks; a group of fewer rows is divided by k as well."""

    example = "Precision(5)"

    class Config:
        k: int = param(min=1, doc="ranks that count")

    def measure(self, ranking: Ranking) -> F64:
        inside = np.clip(self.config.k - ranking.above, 0, ranking.size)
        return ranking.total(ranking.positives * inside / ranking.size) / self.config.k


METRICS: dict[str, type[Any]] = {
    metric.declaration.name: metric  # type: ignore[attr-defined]
    for metric in (
        GAUC,
        AUC,
        LogLoss,
        F1,
        MRR,
        MRR0,
        NDCG,
        HitRatio,
        Recall,
        LRAP,
        MAP,
        Precision,
        ECE,
    )
}
