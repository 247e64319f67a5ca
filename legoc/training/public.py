"""`train`: from a spec to a run folder with weights, bundle and metrics."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from legoc.data.cache import cache_root
from legoc.language.ir.spec import Spec, is_alone
from legoc.language.typing.searching import verify_settled
from legoc.model import compile
from legoc.model.counting import fill
from legoc.model.embedding import TokenEmbedding
from legoc.model.filling import fill_items, fill_prior, fill_users
from legoc.model.run import CALIBRATION, Run
from legoc.model.states import frozen_inputs
from legoc.model.weights import own_tensors
from legoc.progress import SILENT, Progress
from legoc.training.calibration import obtain_calibration, verify_labels
from legoc.training.checkpoint import state_path
from legoc.training.cost import counted
from legoc.training.energy import ESTIMATE, Energy
from legoc.training.epoch import infer_seed
from legoc.training.files import write_tensors
from legoc.training.folder import enter_index, infer_folder, locked, open_folder
from legoc.training.interrupt import Interruptions
from legoc.training.job import Hopeless, Job, Monitor, ignore
from legoc.training.loop import fit
from legoc.training.machine import choose_device, describe_environment, working
from legoc.training.meter import verify_meter
from legoc.training.results import (
    drop_results,
    obtain_bundle,
    obtain_metrics,
    verify_measured,
)
from legoc.training.samplers import build_sampler
from legoc.training.settings import Settings, Until
from legoc.training.sharing import take_over
from legoc.training.sittings import enter_sitting
from legoc.training.tasks import build_task
from legoc.training.trackers import Tracking, load_trackers
from legoc.training.validation import build_validation, verify_monitor


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender


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
    baselines: bool = True,
    energy: Energy = ESTIMATE,
    hopeless: Hopeless | None = None,
    track: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Run:
    """Prepare the data, train, export and evaluate; the run folder lies below `runs`.

    until: the last of these phases. cache: where converted data lies. The same spec, data and seed
    land in the same folder: what is finished there is not repeated unless `again` is given, an
    interrupted training goes on, and so does one that its limit ended where there is more time now.
    A run of another name that has trained the same is taken over. strict: no row of the raw files
    may be bad. truncated: gzip files that break off are read as far as they are whole. threads:
    within one torch operation (1, or OMP_NUM_THREADS). device: `cpu`, `cuda`, ...; a GPU if there
    is one. baselines: what counting reaches on the same rows is measured beside it. energy: how the
    electricity that training takes is found out. hopeless: told the monitor by epoch after each of
    them, it says whether to give the training up; what was given up is not exported, counts as not
    finished, and goes on another time. track: names of trackers (`legoc.training.trackers`) that
    are told how it goes, such as `tensorboard`. A spec without `train`, or a model without
    trainable parameters, skips to the export.

    Raises LegoError for anything wrong with the data, the recipe or the folder; KeyboardInterrupt
    after the state is saved, by Ctrl-C or a signal that asks the process to stop.
    """
    from legoc.data import prepare

    verify_settled((spec,))
    if until == "evaluate":
        verify_measured(spec)
    if energy.measured:
        verify_meter()
    place = choose_device(device)
    runs = Path(runs)
    tracking = Tracking(load_trackers(track), progress)
    with Interruptions():
        prepared = prepare(spec, cache=cache, strict=strict, truncated=truncated, progress=progress)
        for warning in prepared.report.warnings:
            progress.say(f"warning: {warning}")
        run = Run(infer_folder(runs, spec, prepared.digest))
        with ExitStack() as stack:
            stack.enter_context(locked(run.folder))
            count = stack.enter_context(working(threads, place))
            open_folder(run.folder, spec, again=again)
            enter_index(runs, spec.name, run.folder)
            if until == "data":
                return run
            if not again and (other := take_over(run)) is not None:
                progress.say(f"{spec.name}: trained already, in {other}")
            if not run.finished or has_more_time(run, progress):
                environment = describe_environment(place, count)
                environment["language_model"] = prepared.rows.checkpoint or None
                if not is_alone(spec):
                    verify_monitor(spec, prepared)
                    verify_labels(spec, prepared)
                enter_sitting(run.folder, environment, progress)
                begun = state_path(run.folder).is_file()
                stack.callback(tracking.end, run)
                tracking.start(run)
                with counted(
                    run.folder, begun=begun, energy=energy, gpu=place.type == "cuda"
                ) as cost:
                    obtain_weights(
                        run, prepared, place, cache_root(cache), progress, cost,
                        listen=tracking.log, hopeless=hopeless,
                    )  # fmt: skip
                if run.given_up:
                    return run
            obtain_calibration(run, prepared, place, cache_root(cache), progress)
            if until in ("export", "evaluate"):
                obtain_bundle(run, prepared, progress)
            if until == "evaluate":
                obtain_metrics(
                    run, prepared, progress, baselines=baselines, cache=cache_root(cache)
                )
    return run


def train_with(
    spec: Spec, settings: Settings, progress: Progress, hopeless: Hopeless | None = None
) -> Run:
    """`train` with settings that are the same for several runs."""
    return train(
        spec, runs=settings.runs, until=settings.until, cache=settings.cache, again=settings.again,
        strict=settings.strict, truncated=settings.truncated, threads=settings.threads,
        device=settings.device, baselines=settings.baselines, track=settings.track,
        energy=settings.energy, hopeless=hopeless, progress=progress,
    )  # fmt: skip


def has_more_time(run: Run, progress: Progress) -> bool:
    """Whether a training that its limit has ended may go on: the limit is no part of what a run
    is, and may be longer now."""
    recipe, end = run.spec.train, run.end
    if recipe is None or end is None or end["reason"] != "limit":
        return False
    more = recipe.limit is None or end["seconds"] < recipe.limit
    if more and not state_path(run.folder).is_file():
        progress.say(
            f"{run.spec.name}: ended by an earlier limit after {end['seconds']:.0f} s and cannot "
            "go on; train it again with `--again`"
        )
        return False
    return more


def obtain_weights(
    run: Run,
    prepared: "Prepared",
    device: torch.device,
    root: Path,
    progress: Progress,
    cost: dict[str, Any],
    listen: Callable[[Mapping[str, Any]], None] = ignore,
    hopeless: Hopeless | None = None,
) -> None:
    """Train, or go on training, until the run folder holds its best weights. `cost` receives the
    numbers of parameters, `listen` the entries of the log."""
    # What was exported or measured belongs to earlier weights.
    drop_results(run)
    (run.folder / CALIBRATION).unlink(missing_ok=True)
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
    if is_alone(spec):
        count(run, recommender, prepared, progress)
        return
    if "train" in prepared.logs:
        fill_prior(recommender, prepared.logs["train"])
    recommender = recommender.to(device)
    parameters = sum(p.numel() for p in recommender.parameters())
    trainable = sum(p.numel() for p in recommender.parameters() if p.requires_grad)
    cost.update(parameters=parameters, trainable=trainable)
    progress.say(f"{spec.name}: {parameters:,} parameters, {trainable:,} of them train")
    if recipe is None or not recipe.epochs or not trainable:
        progress.say(f"{spec.name}: nothing to train")
        write_tensors(run.weights, own_tensors(recommender))
        return
    inputs = frozen_inputs(recommender, spec, prepared, root, progress=progress)
    prepared = replace(prepared, inputs=inputs)
    from legoc.evaluation.compute import better, metric_name
    from legoc.evaluation.marks import find_marks_in_training, reasons

    marks = find_marks_in_training(spec, recipe.metrics) if "valid" in prepared.logs else {}
    for line in reasons(marks):
        progress.say(line)
    task = build_task(recipe.task, spec.model["predict"], prior=bool(spec.data.context))
    outcome = fit(
        Job(
            module=recommender,
            sampler=build_sampler(spec, prepared),
            loss=task.loss,
            train=recipe,
            monitor=Monitor(
                name=metric_name(recipe.monitor), lower=better(recipe.monitor) == "lower"
            ),
            folder=run.folder,
            validate=build_validation(recommender, spec, prepared),
            progress=progress,
            marks=marks,
            hopeless=hopeless,
            listen=listen,
        )
    )
    progress.say(
        f"{spec.name}: trained {outcome.epochs} epochs in {outcome.seconds:.0f} s, "
        f"best is epoch {outcome.best_epoch}"
    )


def count(run: Run, recommender: "Recommender", prepared: "Prepared", progress: Progress) -> None:
    """Fill a model that is counted from the training part, in the place of a training."""
    began = time.monotonic()
    fill(recommender.content, run.spec.model["predict"], prepared)
    write_tensors(run.weights, own_tensors(recommender))
    progress.say(
        f"{run.spec.name}: counted on {prepared.logs['train'].rows:,} training rows in "
        f"{time.monotonic() - began:.1f} s; nothing trains"
    )
