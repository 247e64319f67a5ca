"""What metrics.json says: the bundle, through onnxruntime, on the part kept for testing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.evaluation import Figure, Report, evaluate_log
from legoc.language.diagnostics import fail
from legoc.language.records import RECORDS
from legoc.language.spec import Call, Spec
from legoc.model.run import Run
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


def measure(run: Run, prepared: "Prepared", progress: Progress = SILENT) -> dict[str, Any]:
    """The metrics of a run's bundle on `test`, or on `valid` where there is no test part.

    `{split: {"metrics": {name: value}, "slices": {"known": ..., "new": ...}, ...}}`; new items are
    those that no training history or impression shows. Undefined figures are None. No labelled part
    is an error of the user (E0556).
    """
    from legoc_runtime.engine import Engine

    split = next((name for name in ("test", "valid") if name in prepared.logs), None)
    if split is None:
        raise fail(
            "E0556",
            "the data has neither a test nor a validation part with labels",
            "stop before the evaluation with `--until export`, or choose another `split`",
        )
    log = prepared.logs[split]
    known = np.asarray(prepared.training_items)[log.item]
    report = evaluate_log(
        Engine(run.bundle, ids=prepared.items.ids),
        prepared.inputs,
        log,
        chosen_metrics(run.spec),
        split=split,
        group=run.spec.data.group,
        slices={"known": known, "new": ~known},
        progress=progress,
    )
    return {split: summarise(report)}


def chosen_metrics(spec: Spec) -> Sequence[Call]:
    """The metrics of the recipe, or the default ones where there is none."""
    if spec.train is not None:
        return spec.train.metrics
    default = RECORDS["train"].param("metrics")
    assert default is not None
    return tuple(Call(op=entry["op"], args=entry["args"]) for entry in default.default)


def summarise(report: Report) -> dict[str, Any]:
    """A report with plain figures, and beside them over how many groups or rows each was taken."""
    detail = report.to_json()
    return detail | {
        "metrics": plain(report.metrics),
        "slices": {name: plain(figures) for name, figures in report.slices.items()},
        "figures": {"all": detail["metrics"], **detail["slices"]},
    }


def plain(figures: Mapping[str, Figure]) -> dict[str, float | None]:
    return {name: figure.to_json()["value"] for name, figure in figures.items()}
