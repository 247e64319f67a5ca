"""`train`: from a spec to a run folder with weights, bundle and metrics."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from legoc.data.cache import cache_root
from legoc.language.ir.counted import is_asked_spec
from legoc.language.ir.spec import Spec, is_alone
from legoc.language.typing.searching import verify_settled
from legoc.model import compile
from legoc.model.counting import fill
from legoc.model.embedding import TokenEmbedding
from legoc.model.filling import fill_items, fill_prior, fill_users
from legoc.model.numbers import training_numbers
from legoc.model.run import CALIBRATION, Run
from legoc.model.states import frozen_inputs
from legoc.model.weights import own_tensors
from legoc.progress import SILENT, Progress
from legoc.training.energy import ESTIMATE, Energy
from legoc.training.epoch import infer_seed
from legoc.training.files import write_tensors
from legoc.training.folder import infer_folder
from legoc.training.interrupt import Interruptions
from legoc.training.job import Hopeless, Job, Monitor, ignore
from legoc.training.loop import fit
from legoc.training.machine import choose_device, describe_environment, working
from legoc.training.meter import verify_meter
from legoc.training.ranks.alike import verify_alike, verify_together
from legoc.training.ranks.joining import joined, on_device
from legoc.training.ranks.world import ALONE, World
from legoc.training.results import drop_results, verify_measured
from legoc.training.samplers import build_sampler
from legoc.training.settings import Settings, Until
from legoc.training.stages import begin, counting, finish, open_run
from legoc.training.sufficing import verify_memory
from legoc.training.tasks import build_task
from legoc.training.trackers import Tracking, load_trackers
from legoc.training.validation import build_validation


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
    settings = Settings(
        runs=str(runs), until=until, cache=None if cache is None else str(cache), again=again,
        strict=strict, truncated=truncated, threads=threads, device=device, baselines=baselines,
        track=tuple(track), energy=energy,
    )  # fmt: skip
    with joined() as world:
        return train_with(spec, settings, progress, hopeless, world)


def train_with(
    spec: Spec,
    settings: Settings,
    progress: Progress,
    hopeless: Hopeless | None = None,
    world: World = ALONE,
) -> Run:
    """`train` with settings that are the same for several runs. world: the processes that train it
    together, each of which calls this. All of them compute; the first alone writes and speaks."""
    from legoc.data import prepare

    with world.alike():
        verify_settled((spec,))
        verify_together(world, settings)
        if settings.until == "evaluate":
            verify_measured(spec)
        if settings.energy.measured:
            verify_meter()
    progress = progress if world.first else SILENT
    device = world.each(lambda: choose_device(settings.device, world))
    trackers = world.each(lambda: load_trackers(settings.track if world.first else ()))
    with Interruptions(), on_device(world, device) as world, ExitStack() as stack:
        prepared = world.in_turn(
            lambda: prepare(
                spec, cache=settings.cache, strict=settings.strict, truncated=settings.truncated,
                progress=progress,
            )
        )  # fmt: skip
        for warning in prepared.report.warnings:
            progress.say(f"warning: {warning}")
        verify_alike(world, spec, prepared, device)
        run = Run(infer_folder(Path(settings.runs), spec, prepared.digest))
        threads = stack.enter_context(working(settings.threads, device))
        wanted = world.once(lambda: open_run(run, spec, settings, stack, progress))
        if settings.until == "data":
            return run
        if wanted:
            tracking = Tracking(trackers, progress)
            environment = describe_environment(device, threads, world.size)
            environment["language_model"] = prepared.rows.checkpoint or None
            numbers = training_numbers(spec, device)
            environment |= {} if numbers is None else {"numbers": numbers}
            world.once(lambda: begin(run, spec, prepared, environment, tracking, stack, progress))
            with counting(run, settings, device, world) as cost:
                obtain_weights(
                    run, prepared, device, cache_root(settings.cache), progress, cost,
                    listen=tracking.log, hopeless=hopeless, world=world, spec=spec,
                )  # fmt: skip
            if world.once(lambda: run.given_up):
                return run
        world.once(lambda: finish(run, prepared, settings, device, progress))
    return run


def obtain_weights(
    run: Run,
    prepared: "Prepared",
    device: torch.device,
    root: Path,
    progress: Progress,
    cost: dict[str, Any],
    listen: Callable[[Mapping[str, Any]], None] = ignore,
    hopeless: Hopeless | None = None,
    world: World = ALONE,
    spec: Spec | None = None,
) -> None:
    """Train, or go on training, until the run folder holds its best weights. `cost` receives the
    numbers of parameters, `listen` the entries of the log. spec: that of the run, where its folder
    may lie on another machine."""
    if world.first:
        # What was exported or measured belongs to earlier weights.
        drop_results(run)
        (run.folder / CALIBRATION).unlink(missing_ok=True)
    spec = run.spec if spec is None else spec
    recipe = spec.train
    if is_asked_spec(spec):
        # So that the folder counts as finished: there are no weights.
        world.once(lambda: write_tensors(run.weights, {}))
        return
    recommender = world.each(lambda: build_filled(spec, prepared, progress))
    if is_alone(spec):
        world.once(lambda: count(run, recommender, prepared, progress))
        return
    recommender = world.each(lambda: recommender.to(device))
    parameters = sum(p.numel() for p in recommender.parameters())
    trainable = sum(p.numel() for p in recommender.parameters() if p.requires_grad)
    cost.update(parameters=parameters, trainable=trainable)
    progress.say(f"{spec.name}: {parameters:,} parameters, {trainable:,} of them train")
    if recipe is None or not recipe.epochs or not trainable:
        progress.say(f"{spec.name}: nothing to train")
        world.once(lambda: write_tensors(run.weights, own_tensors(recommender)))
        return
    world.each(lambda: verify_memory(spec, prepared, recommender, world, progress))
    inputs = world.in_turn(
        lambda: frozen_inputs(recommender, spec, prepared, root, progress=progress)
    )
    if inputs is not prepared.inputs:
        recommender.content.release()  # type: ignore[union-attr, operator]
    prepared = replace(prepared, inputs=inputs)
    from legoc.evaluation.compute import better, metric_name
    from legoc.evaluation.marks import find_marks_in_training, reasons

    marks = find_marks_in_training(spec, recipe.metrics) if "valid" in prepared.logs else {}
    for line in reasons(marks):
        progress.say(line)
    task = build_task(recipe.task, spec.model["predict"], prior=bool(spec.data.context))
    with world.alike():
        sampler = build_sampler(spec, prepared)
    outcome = fit(
        Job(
            module=recommender,
            sampler=sampler,
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
            world=world,
        )
    )
    progress.say(
        f"{spec.name}: trained {outcome.epochs} epochs in {outcome.seconds:.0f} s, "
        f"best is epoch {outcome.best_epoch}"
    )


def build_filled(spec: Spec, prepared: "Prepared", progress: Progress) -> "Recommender":
    """The model of a spec with the weights of its seed, and with what comes from files and logs."""
    recipe = spec.train
    torch.manual_seed(infer_seed(recipe.seed if recipe is not None else 0))
    recommender = compile(spec).build(prepared.rows)
    if prepared.vectors is not None:
        for part in recommender.modules():
            if isinstance(part, TokenEmbedding):
                part.fill(prepared.vectors.rows, prepared.vectors.values)
    fill_items(recommender, spec, prepared, progress)
    fill_users(recommender, prepared)
    if not is_alone(spec) and "train" in prepared.logs:
        fill_prior(recommender, prepared.logs["train"])
    return recommender


def count(run: Run, recommender: "Recommender", prepared: "Prepared", progress: Progress) -> None:
    """Fill a model that is counted from the training part, in the place of a training."""
    began = time.monotonic()
    fill(recommender.content, run.spec.model["predict"], prepared)
    write_tensors(run.weights, own_tensors(recommender))
    progress.say(
        f"{run.spec.name}: counted on {prepared.logs['train'].rows:,} training rows in "
        f"{time.monotonic() - began:.1f} s; nothing trains"
    )
