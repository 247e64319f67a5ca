"""The points of a file, handed to Ray."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from legoc.data.cache import cache_root
from legoc.language.ir.spec import Spec
from legoc.progress import Progress
from legoc.training.cluster.crew import RayCrew, fit_machines
from legoc.training.cluster.machines import (
    count_cpus,
    infer_device,
    infer_share,
    list_machines,
    probing,
    verify_machines,
)
from legoc.training.cluster.session import infer_address, session, verify_ray
from legoc.training.interrupt import Interruptions
from legoc.training.jobs.crew import run_crew
from legoc.training.machine import environment_threads
from legoc.training.settings import Settings
from legoc.training.sweep import Sweep


def run_on_ray(
    specs: Sequence[Spec],
    settings: Settings,
    sweep: Sweep,
    *,
    jobs: int | None,
    address: str | None,
    progress: Progress,
) -> None:
    """Train each spec as a task of Ray, at most `jobs` of them at a time, and enter what became of
    it into `sweep`.

    Raises LegoError where there is no Ray, a machine does not see the folders, or none has room for
    a run. KeyboardInterrupt passes through when every run has saved and stopped.
    """
    verify_ray()
    address = infer_address(address)
    threads = settings.threads or environment_threads() or 1
    cpus = max(count_cpus(), threads * min(jobs or 1, len(specs)))
    with Interruptions(), session(address, cpus, progress):
        machines = list_machines()
        device = infer_device(settings.device, machines)
        share = infer_share(threads, device, machines)
        runs, cache = Path(settings.runs).resolve(), cache_root(settings.cache).resolve()
        there = replace(
            settings, runs=str(runs), cache=str(cache), threads=threads, device=device
        )  # fmt: skip
        with probing((runs, cache)) as probes:
            verify_machines(machines, probes)
            crew = RayCrew(specs, there, progress, share, machines, probes, settings.runs)
            run_crew(crew, sweep, lambda crew, known: fit_machines(crew, known, jobs))
