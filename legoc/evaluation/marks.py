"""Figures that say nothing of a model: those of metrics that read a score as a probability, where
it is none. They are shown with a mark and the reason."""

from collections.abc import Iterable, Mapping, Sequence

from legoc.evaluation.compute import metric_name
from legoc.evaluation.metrics import METRICS
from legoc.language.ir.scores import find_doubt, find_raw_doubt
from legoc.language.ir.spec import Call, Spec


MARK = "*"


def reads_probabilities(call: Call) -> bool:
    return METRICS[call.op].declaration.facts.get("reads") == "probability"


def find_marks(spec: Spec, metrics: Sequence[Call]) -> dict[str, str]:
    """The metrics, by name, whose figures of a finished model say nothing, with the reason."""
    return mark(metrics, find_doubt(spec))


def find_marks_in_training(spec: Spec, metrics: Sequence[Call]) -> dict[str, str]:
    """The same of a model that trains: it is calibrated at the end."""
    if spec.train is None:
        return find_marks(spec, metrics)
    why = find_raw_doubt(spec.train.task, spec)
    if why is not None and spec.train.calibrate:
        why = "scores are calibrated after the last epoch, and mean nothing before"
    return mark(metrics, why)


def mark(metrics: Iterable[Call], why: str | None) -> dict[str, str]:
    if why is None:
        return {}
    return {metric_name(call): why for call in metrics if reads_probabilities(call)}


def reasons(marks: Mapping[str, str]) -> list[str]:
    """A line per reason, with the metrics it is of."""
    found: dict[str, list[str]] = {}
    for name, why in marks.items():
        found.setdefault(why, []).append(name)
    return [f"{MARK} {', '.join(names)}: {why}" for why, names in found.items()]
