"""Eight points of one model on Demo, trained one after another and two at a time.

CPU time of the whole over that of its trainings says what start-up, preparation, export and
evaluation add; wall time of `--jobs 2` over `--jobs 1` says what a second process brings, where the
machine has a core for it and nothing else runs.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


POINTS = 8
TEXT = """
data log {{ source = Demo content = [title(16), subcategory] history = 30 }}
model naml = content CNN(hidden=64) -> behavior Additive(dim=32) -> predict Dot
train t {{ epochs = 1 seed in {seeds} }}
run naml on log with t
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Seconds of a sweep: of CPU in all processes, of CPU in its trainings alone, of the clock."""

    cpu: float
    trainings: float
    wall: float


def run() -> None:
    """Print every figure."""
    print(f"\n{POINTS} points of NAML (width 64) on Demo, an epoch each, from an empty cache")
    for until in ("train", "evaluate"):
        one, two = (measure(jobs, until) for jobs in (1, 2))
        for jobs, found in ((1, one), (2, two)):
            print(
                f"--until {until} --jobs {jobs}: {found.cpu:.0f} s of CPU, of which trainings "
                f"{found.trainings:.0f} s: ratio {found.cpu / found.trainings:.2f}; "
                f"{found.wall:.0f} s of the clock"
            )
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        print(f"wall time of --jobs 2 over --jobs 1: {two.wall / one.wall:.2f} on {cores} cores")


def measure(jobs: int, until: str, points: int = POINTS) -> Figures:
    """Train all points with the command line, in folders that are empty before."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "sweep.lego"
        file.write_text(TEXT.format(seeds=list(range(1, points + 1))), encoding="utf-8")
        command = [
            sys.executable, "-m", "legoc", "train", str(file), "--jobs", str(jobs), "--quiet",
            "--until", until, "--device", "cpu", "--cache", f"{place}/cache",
            "--runs", f"{place}/runs",
        ]  # fmt: skip
        before, began = children(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall, cpu = time.perf_counter() - began, children() - before
        costs = [json.loads(p.read_text()) for p in Path(place).glob("runs/*/cost.json")]
        assert len(costs) == points
        return Figures(cpu=cpu, trainings=sum(cost["cpu"] for cost in costs), wall=wall)


def children() -> float:
    """CPU seconds of all processes that this one has started and that have ended, theirs too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
