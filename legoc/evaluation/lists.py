"""Full ranking of a trained model, with what is kept of it and the baselines beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.evaluation.baselines import measure_baselines
from legoc.evaluation.engine import Engine
from legoc.evaluation.evaluator import Mask
from legoc.evaluation.full_ranking import evaluate_catalogue
from legoc.evaluation.kept import keep_lists
from legoc.evaluation.report import Report
from legoc.language.ir.spec import Call, Spec
from legoc.progress import Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


def evaluate_lists(
    folder: Path,
    engine: Engine,
    spec: Spec,
    prepared: "Prepared",
    split: str,
    metrics: Sequence[Call],
    slices: Mapping[str, Mask],
    *,
    top: int | None,
    scores: bool,
    baselines: bool,
    cache: str | Path | None,
    calibration: Mapping[str, Any] | None,
    progress: Progress,
) -> Report:
    """What `evaluate` does where the whole catalogue is ranked; slices are those beside known and
    new items."""
    log = prepared.logs[split]
    report, lists = evaluate_catalogue(
        engine, spec, prepared, log, metrics, split=split, slices=slices, top=top,
        calibration=calibration, progress=progress,
    )  # fmt: skip
    if scores:
        keep_lists(folder, report, lists, metrics, spec, prepared, log)
    if not baselines:
        return report
    found = measure_baselines(
        spec, prepared, split, metrics, slices, candidates="all", cache=cache, progress=progress
    )
    return replace(report, baselines=found)
