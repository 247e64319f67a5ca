"""The points of a file: trained one after another, or several at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import SILENT, Progress
from legoc.training.energy import ESTIMATE, Energy
from legoc.training.jobs.crew import run_parallel
from legoc.training.public import train_with
from legoc.training.settings import Settings, Until
from legoc.training.sweep import Sweep, go_on
from legoc.training.trackers import verify_trackers


def run_points(
    specs: Sequence[Spec], settings: Settings, sweep: Sweep, *, jobs: int, progress: Progress
) -> None:
    """Train each spec and enter what became of it into `sweep`; `jobs` of them at a time in
    processes of their own, a single one in this process. Raises LegoError for a tracker that is not
    there."""
    verify_trackers(settings.track)
    if jobs > 1 and len(specs) > 1:
        run_parallel(specs, settings, sweep, jobs=jobs, progress=progress)
        return
    seen: set[str] = set()

    def work(spec: Spec) -> Run:
        # What the first of several points has just trained is not trained again for the others.
        known = spec.keys.spec in seen
        seen.update(filter(None, [spec.keys.spec]))
        return train_with(spec, replace(settings, again=settings.again and not known), progress)

    go_on(specs, work, sweep, progress)


def train_all(
    specs: Sequence[Spec],
    *,
    jobs: int = 1,
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
    """`train` for several specs, `jobs` of them at a time; its other settings are those of `train`.

    Workers are processes of their own. Data is prepared before they train, once, and fewer of them
    are started where memory does not last; `progress` says so. Specs that mean the same are trained
    once, with `again` too. What fails keeps none of the others from their end: the answer has
    `done`, the runs, and `failed`, each with its `spec` and its `error`. KeyboardInterrupt comes
    after every worker has saved and stopped.
    """
    sweep = Sweep()
    settings = Settings(
        runs=str(runs), until=until, cache=None if cache is None else str(cache), again=again,
        strict=strict, truncated=truncated, threads=threads, device=device, baselines=baselines,
        track=tuple(track), energy=energy,
    )  # fmt: skip
    run_points(specs, settings, sweep, jobs=jobs, progress=progress)
    return sweep
