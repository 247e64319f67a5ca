"""What follows from trained weights: the bundle and the metrics, made where they are not there."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.language.ir import form
from legoc.language.ir.plan import plan
from legoc.model.run import Run, load_recommender
from legoc.progress import Progress
from legoc.training.files import write_json
from legoc.writing import workplace


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

# What evaluations of these weights wrote, of any part of the data.
KEPT = ("scores*.parquet", "groups*.parquet")


def obtain_bundle(run: Run, prepared: "Prepared", progress: Progress) -> None:
    """Export, unless the bundle there was written with the same settings."""
    if (run.bundle / "manifest.json").is_file():
        stored = form.to_json(run.spec)["export"]
        if run.record("bundle/manifest.json")["spec"]["export"] == stored:
            return
    drop_results(run)
    from legoc.exporting.bundle import write_bundle

    write_bundle(
        load_recommender(run, prepared.rows),
        run.spec,
        plan(run.spec),
        prepared,
        run.bundle,
        metrics=last_validation(run),
        source_text=run.spec.source_text or (run.folder / "model.lego").read_text("utf-8"),
        progress=progress,
    )


def last_validation(run: Run) -> dict[str, Any] | None:
    """What the last validation of the best epoch found, for the model card: the test part is
    measured later, through the bundle itself."""
    found = [e for e in run.log if e["event"] == "evaluation" and e["best"] and e["metrics"]]
    return {"valid": {"split": "valid", "metrics": found[-1]["metrics"]}} if found else None


def obtain_metrics(run: Run, prepared: "Prepared", progress: Progress) -> None:
    """Measure the bundle, unless metrics.json has every metric of the recipe and the scores are
    kept: which metrics are reported is no part of what was trained."""
    from legoc.evaluation.compute import metric_name
    from legoc.evaluation.kept import places
    from legoc.evaluation.public import choose_split, chosen_metrics
    from legoc.exporting import record_metrics

    split = choose_split(prepared.logs, None)
    kept = places(run.folder, split)
    wanted = {metric_name(call) for call in chosen_metrics(run.spec)}
    measured = (run.metrics or {}).get(split, {"metrics": {}})["metrics"].keys()
    if wanted <= measured and kept.scores.is_file() and kept.groups.is_file():
        return
    metrics = measure_bundle(run, prepared, split, progress)
    record_metrics(run.bundle, metrics, run.spec)
    write_json(run.folder / "metrics.json", metrics)


def measure_bundle(
    run: Run, prepared: "Prepared", split: str, progress: Progress
) -> dict[str, Any]:
    """What metrics.json says: `{split: report}` of the bundle through onnxruntime; overall and on
    known and new items. Rows and groups are kept beside it. The item vectors are those the export
    has just made of this data."""
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.kept import keep
    from legoc.evaluation.public import chosen_metrics, novelty
    from legoc_runtime.engine import Engine

    log, metrics = prepared.logs[split], chosen_metrics(run.spec)
    report = evaluate_log(
        Engine(run.bundle, ids=prepared.items.ids, stored=True),
        prepared.inputs,
        log,
        metrics,
        split=split,
        group=run.spec.data.group,
        slices=novelty(prepared, log),
        keep_scores=True,
        progress=progress,
    )
    keep(run.folder, report, metrics, run.spec, prepared, log)
    return {split: report.to_json()}


def drop_results(run: Run) -> None:
    """Remove metrics and bundle, metrics first: they speak of the bundle."""
    (run.folder / "metrics.json").unlink(missing_ok=True)
    for pattern in KEPT:
        for path in run.folder.glob(pattern):
            path.unlink(missing_ok=True)
    if run.bundle.exists():
        remove_folder(run.bundle)


def remove_folder(folder: Path) -> None:
    """Remove a folder that nobody may see half removed: it loses its name first, and what a killed
    process leaves of it is found."""
    with workplace(folder) as place:
        os.rename(folder, place / folder.name)
