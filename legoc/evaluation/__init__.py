"""Metrics, and one evaluator over any engine."""

from legoc.evaluation.compute import Figure, better, compute, metric_name
from legoc.evaluation.engine import Engine
from legoc.evaluation.evaluator import evaluate_log, score_log
from legoc.evaluation.public import evaluate
from legoc.evaluation.report import Report, Timing
from legoc.evaluation.uncached import Uncached


__all__ = [
    "Engine", "Figure", "Report", "Timing", "Uncached", "better", "compute", "evaluate",
    "evaluate_log", "metric_name", "score_log",
]  # fmt: skip
