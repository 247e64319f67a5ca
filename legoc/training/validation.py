"""What is measured after each epoch, and whether it can be."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Spec


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender


def build_validation(
    recommender: "Recommender", spec: Spec, prepared: "Prepared"
) -> Callable[[], Mapping[str, float]] | None:
    """A function that measures the recipe's metrics on the validation part, the vectors of users
    and of items that the part refers to computed once each; None where there is no such part."""
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.referred import narrow
    from legoc.evaluation.torch_engine import TorchEngine

    if spec.train is None or "valid" not in prepared.logs:
        return None
    metrics = spec.train.metrics
    inputs, log = narrow(prepared.inputs, prepared.logs["valid"])

    def validate() -> Mapping[str, float]:
        engine = TorchEngine(recommender)
        report = evaluate_log(engine, inputs, log, metrics, split="valid")
        return {name: figure.value for name, figure in report.metrics.items()}

    return validate


def verify_monitor(spec: Spec, prepared: "Prepared") -> None:
    """E0552 where the monitor has no value whatever the scores: labels and groups alone decide
    whether a metric is defined."""
    from legoc.evaluation.compute import compute, metric_name

    if spec.train is None or "valid" not in prepared.logs:
        return
    monitor, log = spec.train.monitor, prepared.logs["valid"]
    scores = np.zeros(len(log.label), dtype=np.float32)
    found = compute((monitor,), scores, log.label, log.group) if len(scores) else {}
    if not all(math.isfinite(figure.value) for figure in found.values()) or not found:
        known = log.label[~np.isnan(log.label)] > 0.5
        raise no_value(metric_name(monitor), alone=bool(known.all() or not known.any()))


def no_value(monitor: str, *, alone: bool = False) -> LegoError:
    """alone: the rows are of one class, so no metric that compares the two has a value."""
    return fail(
        "E0552",
        f"the monitor `{monitor}` has no value on the validation rows"
        + ", for they are all clicks or all non-clicks" * alone,
        "choose another `split`, or `neutral` where ratings make the labels"
        if alone
        else "choose a `monitor` that is defined there, such as `AUC`, or another `split`",
    )
