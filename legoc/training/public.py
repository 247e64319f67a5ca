"""`train`: from a spec to a run folder with weights, bundle and metrics."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from legoc.data.cache import cache_root
from legoc.language.ir import form
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec
from legoc.model import compile
from legoc.model.embedding import TokenEmbedding
from legoc.model.filling import fill_items, fill_users
from legoc.model.run import Run, load_recommender
from legoc.model.states import frozen_inputs
from legoc.model.weights import own_tensors
from legoc.progress import SILENT, Progress
from legoc.training.files import write_json, write_tensors
from legoc.training.folder import enter_index, infer_folder, locked, open_folder
from legoc.training.loop import Job, Monitor, fit, infer_seed
from legoc.training.machine import choose_device, describe_environment, working
from legoc.training.penalty import penalised
from legoc.training.samplers import build_sampler
from legoc.training.tasks import build_task


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender

Until = Literal["data", "train", "export", "evaluate"]


def train(
    spec: Spec,
    *,
    runs: str | Path = "runs",
    until: Until = "evaluate",
    cache: str | Path | None = None,
    again: bool = False,
    strict: bool = False,
    truncated: bool = False,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = SILENT,
) -> Run:
    """Prepare the data, train, export and evaluate; the run folder lies below `runs`.

    until: the last of these phases. cache: where converted data lies. The same spec, data and seed
    land in the same folder: what is finished there is not repeated unless `again` is given, and an
    interrupted training goes on. strict: no row of the raw files may be bad. truncated: gzip files
    that break off are read as far as they are whole. threads: within one torch operation (1, or
    OMP_NUM_THREADS). device: `cpu`, `cuda`, ...; a GPU if there is one. A spec without `train`, or
    a model without trainable parameters, skips to the export.

    Raises LegoError for anything wrong with the data, the recipe or the folder; KeyboardInterrupt
    after the state is saved.
    """
    from legoc.data import prepare

    place = choose_device(device)
    prepared = prepare(spec, cache=cache, strict=strict, truncated=truncated, progress=progress)
    for warning in prepared.report.warnings:
        progress.say(f"warning: {warning}")
    runs = Path(runs)
    run = Run(infer_folder(runs, spec, prepared.digest))
    with locked(run.folder), working(threads, place) as count:
        open_folder(run.folder, spec, again=again)
        environment = describe_environment(place, count)
        environment["language_model"] = prepared.rows.checkpoint or None
        write_json(run.folder / "environment.json", environment)
        enter_index(runs, spec.name, run.folder)
        if until != "data" and not run.finished:
            obtain_weights(run, prepared, place, cache_root(cache), progress)
        if until in ("export", "evaluate"):
            obtain_bundle(run, prepared, progress)
        if until == "evaluate" and run.metrics is None:
            from legoc.exporting import record_metrics

            metrics = measure(run, prepared, progress)
            record_metrics(run.bundle, metrics)
            write_json(run.folder / "metrics.json", metrics)
    return run


def obtain_weights(
    run: Run, prepared: "Prepared", device: torch.device, root: Path, progress: Progress
) -> None:
    """Train, or go on training, until the run folder holds its best weights."""
    # What was exported or measured belongs to earlier weights.
    drop_results(run)
    spec = run.spec
    recipe = spec.train
    torch.manual_seed(infer_seed(recipe.seed if recipe is not None else 0))
    recommender = compile(spec).build(prepared.rows)
    if prepared.vectors is not None:
        for part in recommender.modules():
            if isinstance(part, TokenEmbedding):
                part.fill(prepared.vectors.rows, prepared.vectors.values)
    fill_items(recommender, spec, prepared, progress)
    fill_users(recommender, prepared)
    recommender = recommender.to(device)
    parameters = sum(p.numel() for p in recommender.parameters())
    trainable = sum(p.numel() for p in recommender.parameters() if p.requires_grad)
    progress.say(f"{spec.name}: {parameters:,} parameters, {trainable:,} of them train")
    if recipe is None or not recipe.epochs or not trainable:
        progress.say(f"{spec.name}: nothing to train")
        write_tensors(run.weights, own_tensors(recommender))
        return
    inputs = frozen_inputs(recommender, spec, prepared, root, progress=progress)
    prepared = replace(prepared, inputs=inputs)
    from legoc.evaluation.compute import better, metric_name

    task = build_task(recipe.task, spec.model["predict"])
    outcome = fit(
        Job(
            module=recommender,
            sampler=build_sampler(spec, prepared),
            loss=penalised(task.loss, recommender),
            train=recipe,
            monitor=Monitor(
                name=metric_name(recipe.monitor), lower=better(recipe.monitor) == "lower"
            ),
            folder=run.folder,
            validate=build_validation(recommender, spec, prepared),
            progress=progress,
        )
    )
    progress.say(
        f"{spec.name}: trained {outcome.epochs} epochs in {outcome.seconds:.0f} s, "
        f"best is epoch {outcome.best_epoch}"
    )


def build_validation(
    recommender: "Recommender", spec: Spec, prepared: "Prepared"
) -> Callable[[], Mapping[str, float]] | None:
    """A function that measures the recipe's metrics on the validation part, item and user vectors
    computed once each; None where there is no such part."""
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.torch_engine import TorchEngine

    if spec.train is None or "valid" not in prepared.logs:
        return None
    metrics, log = spec.train.metrics, prepared.logs["valid"]

    def validate() -> Mapping[str, float]:
        engine = TorchEngine(recommender)
        report = evaluate_log(engine, prepared.inputs, log, metrics, split="valid")
        return {name: figure.value for name, figure in report.metrics.items()}

    return validate


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
        metrics=validated(run),
        source_text=run.spec.source_text or (run.folder / "model.lego").read_text("utf-8"),
        progress=progress,
    )


def validated(run: Run) -> dict[str, Any] | None:
    """What the last validation of the best epoch found, for the model card: the test part is
    measured later, through the bundle itself."""
    found = [e for e in run.log if e["event"] == "evaluation" and e["best"] and e["metrics"]]
    return {"valid": {"split": "valid", "metrics": found[-1]["metrics"]}} if found else None


def measure(run: Run, prepared: "Prepared", progress: Progress) -> dict[str, Any]:
    """What metrics.json says: `{split: report}` of the bundle through onnxruntime, on `test` or,
    where there is no test part, on `valid`; overall and on known and new items."""
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.public import choose_split, chosen_metrics, novelty
    from legoc_runtime.engine import Engine

    split = choose_split(prepared.logs, None)
    log = prepared.logs[split]
    report = evaluate_log(
        Engine(run.bundle, ids=prepared.items.ids),
        prepared.inputs,
        log,
        chosen_metrics(run.spec),
        split=split,
        group=run.spec.data.group,
        slices=novelty(prepared, log),
        progress=progress,
    )
    return {split: report.to_json()}


def drop_results(run: Run) -> None:
    """Remove metrics and bundle, metrics first: they speak of the bundle."""
    (run.folder / "metrics.json").unlink(missing_ok=True)
    if run.bundle.exists():
        shutil.rmtree(run.bundle)
