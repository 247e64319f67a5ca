"""How far the default recipe is from the best of a grid of 24, on Demo and on real logs.

Three rates, two batches, with and without dropped words and averaged weights: all else is the
default, which is one of them. `python -m benchmarks.recipes LOG ... --json FILE` keeps the figures
and the runs, which are not trained again. The best of 24 test figures is chosen by these figures,
so it is above what the same recipe would reach on other users: beside it stands the recipe that
validation would choose.
"""

import argparse
import itertools
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks.learning import LOGS, TEXT
from legoc.language import load


DEFAULT = (3e-3, 64, "20%", 300)
GRID = tuple(itertools.product((1e-3, 3e-3, 1e-2), (64, 256), ("0%", "20%"), (1, 300)))
# Beside the logs of `learning`, the world of `quality`: six times smaller than Demo.
WORLDS = {"small demo": "source = Demo(items=600, users=500, impressions=3000)"}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One recipe on one log: GAUC of test and of the best validation, means over seeds, the
    difference of the test figure from the default's with its 95 % interval over users, and the CPU
    seconds of one training."""

    log: str
    lr: float
    batch: int
    word_dropout: str
    average: int
    test: float
    valid: float
    less: float
    low: float
    high: float
    seconds: float

    @property
    def recipe(self) -> tuple[float, int, str, int]:
        return self.lr, self.batch, self.word_dropout, self.average


def describe(log: str) -> str:
    """The fields of a log's data."""
    if log in WORLDS:
        return WORLDS[log]
    folder = Path(os.environ.get("LEGOC_LOGS", "")).resolve() / log
    return f"source = {LOGS[log].source.format(folder=folder)}  content = {LOGS[log].content}"


def try_all(log: str, seeds: int, runs: Path) -> list[Tried]:
    """Train the text model with each recipe of the grid."""
    from legoc.experiments.contrast import contrast
    from legoc.experiments.results import read_result
    from legoc.experiments.systems import gather
    from legoc.training import train
    from legoc.training.cost import read_cost

    seed = "seed = 1" if seeds == 1 else f"seed in 1..{seeds}"
    lines = [f"data plain {{ {describe(log)} }}"]
    for number, (lr, batch, dropout, average) in enumerate(GRID):
        fields = f"lr = {lr}  batch = {batch}  word_dropout = {dropout}  average = {average}"
        lines.append(f"train t{number} {{ {seed}  metrics = [GAUC]  {fields} }}")
        lines.append(f"model m{number} = {TEXT}\nrun m{number} on plain with t{number}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.lego"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        specs = load(path)
        done = []
        for spec in specs:
            done.append(train(spec, runs=runs, until="evaluate", baselines=False))
            report = done[-1].metrics["test"]["metrics"]["GAUC"]
            fields = f"{spec.train.lr} {spec.train.batch} {spec.train.word_dropout}"
            print(f"  {fields} {spec.train.average}: {report:.4f}", flush=True)
    systems = gather([read_result(run.folder) for run in done])
    assert len(systems) == len(GRID)
    usual = GRID.index(DEFAULT)
    others = [n for n in range(len(GRID)) if n != usual]
    contrasts = contrast(systems, [("GAUC", [(n, usual) for n in others])])
    apart = {n: (c.difference, c.low, c.high) for n, c in zip(others, contrasts, strict=True)}
    found = []
    for number, (system, recipe) in enumerate(zip(systems, GRID, strict=True)):
        own = [result.run for result in system.results]
        less, low, high = apart.get(number, (0.0, 0.0, 0.0))
        best = [
            max(e["metrics"]["GAUC"] for e in run.log if e["event"] == "evaluation") for run in own
        ]
        costs = [read_cost(run.folder).get("cpu", 0.0) for run in own]
        found.append(
            Tried(
                log=log, lr=recipe[0], batch=recipe[1], word_dropout=recipe[2],
                average=recipe[3], test=system.measure("GAUC").figure,
                valid=sum(best) / len(best), less=less, low=low, high=high,
                seconds=sum(costs) / len(costs),
            )
        )  # fmt: skip
    return found


def show(found: Sequence[Tried]) -> None:
    """A line for each recipe, the best first, and what the default has of the best one's lift."""
    (usual,) = (row for row in found if row.recipe == DEFAULT)
    best = max(found, key=lambda row: row.test)
    chosen = max(found, key=lambda row: row.valid)
    for row in sorted(found, key=lambda row: -row.test):
        mark = "  default" if row is usual else ""
        mark += "  chosen by validation" if row is chosen else ""
        print(
            f"  lr {row.lr:<6} batch {row.batch:<4} dropped {row.word_dropout:<4} average "
            f"{row.average:<4}{row.test:.4f}  {row.less:+.4f} [{row.low:+.4f}, {row.high:+.4f}]"
            f"  valid {row.valid:.4f}{row.seconds:>6.0f} s{mark}"
        )
    for title, row in (("best", best), ("chosen by validation", chosen)):
        share = (usual.test - 0.5) / (row.test - 0.5)
        times = usual.seconds / row.seconds
        print(f"  default: {share:.3f} of the lift of the {title}, {times:.2f} of its time")


def run(logs: Sequence[str] = (), seeds: int = 1, kept: Path | None = None) -> None:
    """Print a table for each log at hand."""
    torch.set_num_threads(1)
    for log in logs or WORLDS:
        print(f"\nrecipes: {log}, GAUC of the test part, less the default's", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            runs = Path(folder) if kept is None else kept.with_suffix("") / log.replace(" ", "_")
            found = try_all(log, seeds, runs)
        show(found)
        if kept is not None:
            before = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []
            rows = [row for row in before if row["log"] != log] + [asdict(row) for row in found]
            kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="*", choices=[[], *WORLDS, *LOGS])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    run(arguments.logs, arguments.seeds, arguments.json)
