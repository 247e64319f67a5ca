"""The metrics: one class each, declared for the language, over a ranking or over all rows.

Notation of a tied block: n rows, p of them positive; a rows and c positives rank above it. Of a
group: P positives. A grouped metric is, per group, the expected value over random orders of ties.
Its figure is the mean over the groups that have positives and negatives.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.evaluation.ranking import (
    F64,
    I64,
    Ranking,
    discounts,
    harmonic,
    log_factorials,
    longest,
    rank,
)
from legoc.language.declaring.declare import operator, param


GROUPS = {"over": "groups", "better": "higher"}
ROWS = {"over": "rows", "better": "higher"}
LOSS = {"over": "rows", "better": "lower"}

F32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


class Metric:
    """`config` holds the parameters. A metric of groups measures a ranking, [G]; one of rows
    measures scores F32[R] with labels Bool[R], a number (NaN where it is not defined).

    A metric of rows that can be told apart by groups has `shares(scores, positive, groups I64[R],
    count)`: a numerator and a denominator for each of `count` groups, [G] each, whose sums divide
    to the figure; resampled groups divide to what the figure would be, at least to first order.
    """

    def __init__(self, config: Any = None) -> None:
        self.config = config


def separated(ranking: Ranking) -> F64:
    """[G]: the share of (positive, negative) pairs in the right order, ties counting half."""
    negatives = ranking.size - ranking.positives
    ranked_above = ranking.above - ranking.before
    below = (ranking.rows - ranking.clicks)[ranking.group] - ranked_above - negatives
    wins = ranking.total(ranking.positives * (below + 0.5 * negatives))
    return wins / (ranking.clicks * (ranking.rows - ranking.clicks))


def share_below(ordered: F32, scores: F32) -> F64:
    """[R]: the share of ordered values below each score, equal ones counting half."""
    left = np.searchsorted(ordered, scores, side="left")
    return (left + np.searchsorted(ordered, scores, side="right")) / (2 * len(ordered))


def log_losses(scores: F32, positive: Bool) -> F64:
    """[R]: the negative log-likelihood of each label."""
    logits = scores.astype(np.float64)
    return np.maximum(logits, 0) - logits * positive + np.log1p(np.exp(-np.abs(logits)))


def probabilities(scores: F32) -> F64:
    """[R]: the sigmoid of logits."""
    # Beyond 700 the exponential overflows, and the probability has long been 0 or 1.
    return 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -700, 700)))


@operator("metric", "GAUC", facts=GROUPS)
class GAUC(Metric):
    """Area under the ROC curve per group, then the plain mean over groups."""

    example = "GAUC"

    def measure(self, ranking: Ranking) -> F64:
        return separated(ranking)


@operator("metric", "AUC", facts=ROWS)
class AUC(Metric):
    """Area under the ROC curve over all rows at once."""

    example = "AUC"

    def measure(self, scores: F32, positive: Bool) -> float:
        value = separated(rank(scores, positive, np.zeros(len(scores), dtype=np.int64)))
        return float(value[0]) if len(value) else float("nan")

    def shares(self, scores: F32, positive: Bool, groups: I64, count: int) -> tuple[F64, F64]:
        """Each row pulls the figure by the share of the other class that it beats, less the figure
        itself (the projection of Hajek, as in DeLong's variance). The denominators are equal."""
        inside = np.zeros(count)
        inside[groups] = 1 / max(len(np.unique(groups)), 1)
        won, lost = np.sort(scores[positive]), np.sort(scores[~positive])
        if not len(won) or not len(lost):
            return np.full(count, np.nan), inside
        beaten = np.empty(len(scores))
        beaten[positive] = share_below(lost, scores[positive]) / len(won)
        beaten[~positive] = (1 - share_below(won, scores[~positive])) / len(lost)
        figure = beaten[positive].sum()
        beaten -= figure / np.where(positive, len(won), len(lost))
        return np.bincount(groups, beaten, minlength=count) + figure * inside, inside


@operator("metric", "LogLoss", facts=LOSS)
class LogLoss(Metric):
    """Mean negative log-likelihood of the labels, the scores being logits; lower is better."""

    example = "LogLoss"

    def measure(self, scores: F32, positive: Bool) -> float:
        losses = log_losses(scores, positive)
        return float(losses.mean()) if len(losses) else float("nan")

    def shares(self, scores: F32, positive: Bool, groups: I64, count: int) -> tuple[F64, F64]:
        losses = log_losses(scores, positive)
        summed = np.bincount(groups, losses, minlength=count)
        return summed, np.bincount(groups, minlength=count).astype(np.float64)


@operator("metric", "F1", primary="threshold", facts=ROWS)
class F1(Metric):
    """Harmonic mean of precision and recall over all rows, a row counting as positive from
    `threshold` on."""

    example = "F1(0.5)"

    class Config:
        threshold: float = param(0.5, min=0, max=1, doc="probability from which a row is positive")

    def measure(self, scores: F32, positive: Bool) -> float:
        chosen = probabilities(scores) >= self.config.threshold
        total = int(chosen.sum()) + int(positive.sum())
        return 2 * int((chosen & positive).sum()) / total if total else float("nan")

    def shares(self, scores: F32, positive: Bool, groups: I64, count: int) -> tuple[F64, F64]:
        chosen = probabilities(scores) >= self.config.threshold
        both = np.bincount(groups, 2.0 * (chosen & positive), minlength=count)
        return both, np.bincount(groups, chosen.astype(np.float64) + positive, minlength=count)


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
        places = n - p + 1
        owner = np.repeat(np.arange(len(n)), places)
        j = np.arange(len(owner)) - np.repeat(np.cumsum(places) - places, places) + 1
        n, p, a = n[owner], p[owner], a[owner]
        logs = log_factorials(longest(ranking))
        # C(n - j, p - 1) / C(n, p), where C(n, p) = n! / p! / (n - p)!
        chance = np.exp(
            logs[n - j] - logs[p - 1] - logs[n - j - p + 1] - logs[n] + logs[p] + logs[n - p]
        )
        return np.bincount(owner, chance / (a + j), minlength=ranking.groups)


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


@operator("metric", "ECE", primary="bins", facts=LOSS)
class ECE(Metric):
    """Expected calibration error: how far the probabilities of a bin are from its share of clicks,
    on average over rows, in bins of equal width; lower is better."""

    example = "ECE(15)"

    class Config:
        bins: int = param(15, min=1, max=1000, doc="bins between 0 and 1")

    def measure(self, scores: F32, positive: Bool) -> float:
        bins = 15 if self.config is None else self.config.bins
        if not len(scores):
            return float("nan")
        probability = probabilities(scores)
        place = np.minimum((probability * bins).astype(np.int64), bins - 1)
        gap = np.bincount(place, probability - positive, minlength=bins)
        return float(np.abs(gap).sum() / len(scores))


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
