"""The metrics of rows: taken over all rows at once, whatever they are grouped by.

Letters: R rows, G groups.
"""

import numpy as np

from legoc.evaluation.metric import CHANCE, F32, LOSS, ROWS, WHOLE, Bool, Metric
from legoc.evaluation.ranking import F64, I64, rank, separated
from legoc.language.declaring.declare import operator, param


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


@operator("metric", "F1", primary="threshold", facts=CHANCE)
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


@operator("metric", "ECE", primary="bins", facts=WHOLE)
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
