"""What follows from trained weights: the bundle and the metrics, made where they are not there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.language.ir import form
from legoc.language.ir.counted import is_asked_spec, is_counted_spec
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec
from legoc.model.run import Run, load_recommender
from legoc.progress import Progress
from legoc.training.files import write_json
from legoc.writing import workplace


if TYPE_CHECKING:
    from legoc.data.indexing.log import Log
    from legoc.data.prepare import Prepared
    from legoc.evaluation.report import Baseline

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
        calibration=run.calibration,
        source_text=run.spec.source_text or (run.folder / "model.lego").read_text("utf-8"),
        progress=progress,
    )


def last_validation(run: Run) -> dict[str, Any] | None:
    """What the last validation of the best epoch found, for the model card: the test part is
    measured later, through the bundle itself. Without what reads probabilities where they were
    calibrated since: those are of another model."""
    from legoc.evaluation.compute import call_named
    from legoc.evaluation.marks import reads_probabilities

    found = [e for e in run.log if e["event"] == "evaluation" and e["best"] and e["metrics"]]
    if not found:
        return None
    recipe, figures = run.spec.train, found[-1]["metrics"]
    if recipe is not None and recipe.calibrate:
        figures = {
            name: value
            for name, value in figures.items()
            if not reads_probabilities(call_named(name))
        }
    return {"valid": {"split": "valid", "metrics": figures}}


def obtain_metrics(
    run: Run, prepared: "Prepared", progress: Progress, *, baselines: bool, cache: Path
) -> None:
    """Measure the bundle, unless metrics.json has every metric of the recipe and the scores are
    kept: which metrics are reported is no part of what was trained. baselines: what counting
    reaches is to be there too. It is counted last, when the report is written; what is known of it
    stays."""
    from legoc.evaluation.compute import metric_name
    from legoc.evaluation.full_ranking import ranking_metrics
    from legoc.evaluation.kept import places
    from legoc.evaluation.public import choose_split, chosen_candidates, chosen_metrics
    from legoc.exporting import record_metrics

    split = choose_split(prepared.logs, None)
    metrics, candidates = chosen_metrics(run.spec), chosen_candidates(run.spec)
    kept = places(run.folder, split, candidates)
    lists = candidates == "all"
    wanted = {metric_name(call) for call in (ranking_metrics(metrics) if lists else metrics)}
    report = (run.metrics or {}).get(split, {"metrics": {}})
    if report.get("candidates", "shown") != candidates:
        report = {"metrics": {}}
    beside = report.get("baselines", {})
    there = kept.groups.is_file() and (lists or kept.scores.is_file())
    if not there or not wanted <= report["metrics"].keys():
        report = measure_bundle(run, prepared, split, progress)
        if run.bundle.is_dir():
            record_metrics(run.bundle, {split: report}, run.spec)
        if beside:
            report["baselines"] = beside
        write_json(run.folder / "metrics.json", {split: report})
    compared = beside and all(wanted <= each["metrics"].keys() for each in beside.values())
    if not baselines or is_counted_spec(run.spec) or compared:
        return
    found = count_beside(run.spec, prepared, split, cache=cache, progress=progress)
    if found:
        report["baselines"] = {name: baseline.to_json() for name, baseline in found.items()}
        write_json(run.folder / "metrics.json", {split: report})


def verify_measured(spec: Spec) -> None:
    """E0588 where the recipe ranks the whole catalogue and no metric of it is of ranks."""
    if spec.train is not None and spec.train.candidates == "all":
        from legoc.evaluation.full_ranking import ranking_metrics

        ranking_metrics(spec.train.metrics)


def count_beside(
    spec: Spec, prepared: "Prepared", split: str, *, cache: Path, progress: Progress
) -> "Mapping[str, Baseline]":
    """What counting reaches on a part of the data, among the candidates that the recipe ranks."""
    from legoc.evaluation.baselines import measure_baselines
    from legoc.evaluation.public import chosen_candidates, chosen_metrics

    candidates = chosen_candidates(spec)
    return measure_baselines(
        spec, prepared, split, chosen_metrics(spec),
        tell_slices(prepared, prepared.logs[split], candidates),
        candidates=candidates, cache=cache, progress=progress,
    )  # fmt: skip


def measure_bundle(
    run: Run, prepared: "Prepared", split: str, progress: Progress
) -> dict[str, Any]:
    """What metrics.json says of a part: the report of the bundle through onnxruntime, or of a model
    that is asked; overall and
    on known and new items. Rows and groups are kept beside it. The item vectors are those the
    export has just made of this data."""
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.full_ranking import evaluate_catalogue
    from legoc.evaluation.kept import keep, keep_lists
    from legoc.evaluation.marks import find_marks
    from legoc.evaluation.opened import build_engine, tell
    from legoc.evaluation.public import chosen_candidates, chosen_metrics
    from legoc_runtime.engine import Engine

    log, metrics = prepared.logs[split], chosen_metrics(run.spec)
    engine = (
        build_engine(run.folder, None, prepared, cached=True, spec=run.spec, progress=progress)
        if is_asked_spec(run.spec)
        else Engine(run.bundle, ids=prepared.items.ids, stored=True)
    )
    if chosen_candidates(run.spec) == "all":
        report, lists = evaluate_catalogue(
            engine, run.spec, prepared, log, metrics, split=split,
            slices=tell_slices(prepared, log, "all"), calibration=run.calibration,
            progress=progress,
        )  # fmt: skip
        keep_lists(run.folder, report, lists, metrics, run.spec, prepared, log)
        if report.left_out:
            left_out = ", ".join(report.left_out)
            progress.say(f"{left_out}: left out, full ranking keeps ranks and no scores")
        return report.to_json()
    report = evaluate_log(
        engine,
        prepared.inputs,
        log,
        metrics,
        split=split,
        group=run.spec.data.group,
        slices=tell_slices(prepared, log),
        marks=find_marks(run.spec, metrics),
        calibration=run.calibration,
        keep_scores=True,
        progress=progress,
    )
    keep(run.folder, report, metrics, run.spec, prepared, log)
    tell(engine, progress)
    tally = getattr(engine, "tally", None)
    return report.to_json() | ({} if tally is None else {"asked": tally.to_json()})


def tell_slices(prepared: "Prepared", log: "Log", candidates: str = "shown") -> dict[str, Any]:
    """The parts of the rows that are measured apart: known and new items, which full ranking tells
    apart by itself, and users without clicks."""
    from legoc.evaluation.cold import mark_cold
    from legoc.evaluation.public import novelty

    name = "no clicks before"
    cold = mark_cold(log)
    items = novelty(prepared, log) if candidates == "shown" else {}
    return {**items, **({name: cold[name]} if name in cold else {})}


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
