"""The points of a file: trained one after another, or several at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import SILENT, Progress
from legoc.training.cluster.public import run_on_ray
from legoc.training.energy import ESTIMATE, Energy
from legoc.training.jobs.crew import run_parallel
from legoc.training.public import train_with
from legoc.training.ranks.alike import verify_crew
from legoc.training.ranks.joining import joined
from legoc.training.ranks.world import ALONE, World
from legoc.training.settings import Settings, Until
from legoc.training.sweep import Sweep, go_on
from legoc.training.trackers import verify_trackers


Engine = Literal["processes", "ray"]


def run_points(
    specs: Sequence[Spec],
    settings: Settings,
    sweep: Sweep,
    *,
    jobs: int | None,
    engine: Engine = "processes",
    address: str | None = None,
    progress: Progress,
    world: World = ALONE,
) -> None:
    """Train each spec and enter what became of it into `sweep`; `jobs` of them at a time in
    processes of their own, a single one in this process; or all of them by Ray. world: the
    processes that train each of them together. Raises LegoError for a tracker that is not there,
    and for a Ray that is not."""
    with world.alike():
        verify_trackers(settings.track)
        verify_crew(world, jobs, engine)
    if engine == "ray":
        run_on_ray(specs, settings, sweep, jobs=jobs, address=address, progress=progress)
        return
    if address is not None:
        raise fail(
            "E0564",
            f"nothing joins `{address}`: an address is one of Ray, which is not asked for",
            "give `--engine ray` as well, or leave the address out",
        )
    jobs = jobs or 1
    if jobs > 1 and len(specs) > 1:
        run_parallel(specs, settings, sweep, jobs=jobs, progress=progress)
        return
    seen: set[str] = set()

    def work(spec: Spec) -> Run:
        # What the first of several points has just trained is not trained again for the others.
        known = spec.keys.spec in seen
        seen.update(filter(None, [spec.keys.spec]))
        here = replace(settings, again=settings.again and not known)
        return train_with(spec, here, progress, *(() if world.alone else (None, world)))

    go_on(
        specs, work, sweep, progress,
        ends=lambda error: not (world.alone or error in world.settled),
    )  # fmt: skip


def train_all(
    specs: Sequence[Spec],
    *,
    jobs: int | None = None,
    engine: Engine = "processes",
    address: str | None = None,
    runs: str | Path = "runs",
    until: Until = "evaluate",
    cache: str | Path | None = None,
    again: bool = False,
    strict: bool = False,
    truncated: bool = False,
    threads: int | None = None,
    device: str | None = None,
    baselines: bool = True,
    track: Sequence[str] = (),
    energy: Energy = ESTIMATE,
    progress: Progress = SILENT,
) -> Sweep:
    """`train` for several specs, `jobs` of them at a time (1); other settings are those of `train`.

    Workers are processes of their own. Data is prepared before they train, once, and fewer of them
    are started where memory does not last; `progress` says so. Specs that mean the same are trained
    once, with `again` too. What fails keeps none of the others from their end: the answer has
    `done`, the runs, and `failed`, each with its `spec` and its `error`. KeyboardInterrupt comes
    after every worker has saved and stopped.

    engine: `ray` hands them to Ray (the extra `ray`): to that of `address`, else of RAY_ADDRESS,
    else to one on this machine that begins and ends here; or, where the process has joined one
    already, to that. As many train at a time as its machines hold, and no more than `jobs`.
    """
    sweep = Sweep()
    settings = Settings(
        runs=str(runs), until=until, cache=None if cache is None else str(cache), again=again,
        strict=strict, truncated=truncated, threads=threads, device=device, baselines=baselines,
        track=tuple(track), energy=energy,
    )  # fmt: skip
    with joined() as world:
        run_points(
            specs, settings, sweep, jobs=jobs, engine=engine, address=address, progress=progress,
            world=world,
        )  # fmt: skip
    return sweep
