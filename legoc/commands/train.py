"""`legoc train`: every run of a file, from raw data to its scores."""

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.comparing import marks_of, show_baselines
from legoc.commands.console import choose
from legoc.commands.energy_flags import chosen_energy, takes_energy
from legoc.commands.flags import (
    Command,
    at_least,
    caches,
    compares,
    machine,
    prints_json,
    runs,
    takes_file,
    verifies,
)
from legoc.commands.points import points
from legoc.commands.printing import console, figure, print_json, show_warnings, table
from legoc.commands.sweep import show_failures


if TYPE_CHECKING:
    from legoc.language.ir.spec import Spec
    from legoc.model.run import Run
    from legoc.training.ranks.world import World
    from legoc.training.sweep import Sweep


def train_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    caches(parser)
    runs(parser)
    parser.add_argument(
        "--until", choices=("data", "train", "export", "evaluate"), default="evaluate",
        help="stop after this phase (default: evaluate)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs",
        type=at_least(1, 1024),
        metavar="N",
        help="train so many runs at a time, as far as memory lasts (default: 1; with `--engine "
        "ray` as many as the machines hold)",
    )
    parser.add_argument(
        "--engine",
        choices=("processes", "ray"),
        default="processes",
        help="what trains them: processes of this machine, or Ray's workers, on many machines",
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="the Ray to join (default: RAY_ADDRESS, else one that starts on this machine)",
    )
    parser.add_argument("--again", action="store_true", help="repeat runs that are finished")
    parser.add_argument(
        "--track",
        action="append",
        default=[],
        metavar="NAME",
        help="also tell a tracker how it goes, such as tensorboard; may be repeated",
    )
    machine(parser)
    verifies(parser)
    compares(parser)
    takes_energy(parser)
    prints_json(parser)


def run_train(arguments: Namespace) -> int:
    from legoc.training.ranks.joining import joined
    from legoc.training.ranks.world import Lost

    with joined() as world:
        if world.first:
            return train_points(arguments, world)
        try:
            return train_points(arguments, world)
        except Lost:
            raise
        except KeyboardInterrupt as stop:
            return getattr(stop, "status", 130)
        except Exception as error:
            if error not in world.settled:
                raise
            # The first process says it.
            return 1


def train_points(arguments: Namespace, world: "World") -> int:
    """Train the points of a file; of several processes the first says what became of them."""
    from legoc.training.points import run_points
    from legoc.training.settings import Settings
    from legoc.training.sweep import Sweep

    progress = choose(arguments.quiet)
    began = time.time()
    settings = Settings(
        runs=arguments.runs, until=arguments.until, cache=arguments.cache,
        again=arguments.again, strict=arguments.strict, truncated=arguments.keep_truncated,
        threads=arguments.threads, device=arguments.device,
        baselines=not arguments.no_baselines, track=tuple(dict.fromkeys(arguments.track)),
        energy=chosen_energy(arguments),
    )  # fmt: skip
    # All of the file is checked before anything trains.
    with nullcontext() if world.first else redirect_stderr(StringIO()):
        specs = world.each(lambda: points(arguments))
    sweep = Sweep()
    try:
        run_points(
            specs, settings, sweep, jobs=arguments.jobs, engine=arguments.engine,
            address=arguments.address, progress=progress, world=world,
        )  # fmt: skip
    finally:
        # What is done is shown, whatever ends the others.
        if world.first:
            show_sweep(arguments, sweep, began)
    if not world.first:
        return 1 if sweep.failed else 0
    if not arguments.json:
        show_warnings(data_warnings(sweep.done, arguments))
    return show_failures(sweep.failed, len(specs))


def show_sweep(arguments: Namespace, sweep: "Sweep", began: float) -> None:
    """What became of the runs so far."""
    if arguments.json:
        print_json([one.to_json() for one in sweep.ended])
        return
    show_runs(sweep.done, began)
    if not arguments.no_baselines:
        show_beside(sweep.done)


def show_runs(done: "Sequence[Run]", began: float = 0.0) -> None:
    """One table over all runs of a command, then where each lies, how it is calibrated, and which
    were finished before the command began."""
    from legoc.evaluation.marks import MARK, reasons
    from legoc.evaluation.report import write_calibration

    out = console()
    tested = [(run, split, found) for run in done for split, found in tested_parts(run)]
    for title, kind in (("", "shown"), (", full ranking", "all")):
        some = [one for one in tested if one[2].get("candidates", "shown") == kind]
        if not some:
            continue
        names = list(dict.fromkeys(name for _, _, found in some for name in found["metrics"]))
        rows = [
            (
                run.spec.name,
                split,
                measured_over(found),
                *(
                    figure(found["metrics"].get(name)) + MARK * (name in marks_of(found))
                    for name in names
                ),
            )
            for run, split, found in some
        ]
        columns = ("run", "split", "over", *names)
        engines = " and ".join(dict.fromkeys(found["engine"] for *_, found in some))
        out.print(table(f"evaluated through {engines}{title}", columns, rows))
        for line in dict.fromkeys(one for *_, found in some for one in reasons(marks_of(found))):
            out.print(line, style="dim")
    for run in done:
        made = finished_at(run)
        earlier = made is not None and made < began
        said = ", finished before (`--again` repeats it)" if earlier else ""
        out.print(f"{run.spec.name}: {run.folder}{said}")
        if run.calibration is not None:
            out.print(f"  {write_calibration(run.calibration)}")
        if run.bundle.is_dir():
            out.print(f"  bundle {run.bundle}, largest difference {difference(run.bundle)}")


def show_beside(done: "Sequence[Run]") -> None:
    """What counting reaches, once for all runs that were measured on the same rows."""
    together: dict[str, list[tuple[Spec, Mapping[str, Any]]]] = {}
    for run in done:
        for _, found in tested_parts(run):
            if found.get("baselines"):
                key = json.dumps(found["baselines"], sort_keys=True)
                together.setdefault(key, []).append((run.spec, found))
    for reports in together.values():
        named = [(spec.name, found) for spec, found in reports]
        show_baselines(console(), named, [spec for spec, _ in reports])


def measured_over(found: Mapping[str, Any]) -> str:
    """What the figures of a report rest on: groups where a metric has them, else rows."""
    groups = found.get("groups", {}).get("all")
    if groups is not None:
        return f"{groups:,} {found['group']}s"
    return f"{found['counts']['rows']:,} rows"


def finished_at(run: "Run") -> float | None:
    """When the last part of a run was written; None where it has none yet."""
    parts = (run.weights, run.bundle / "manifest.json", run.folder / "metrics.json")
    return max((path.stat().st_mtime for path in parts if path.is_file()), default=None)


def data_warnings(done: "Sequence[Run]", arguments: Namespace) -> list[str]:
    """What `legoc data` warns of in the data of some runs, each said once."""
    from legoc.data import prepare
    from legoc.data.survey.portrait import facets, find_warnings

    seen: set[str] = set()
    found: dict[str, None] = {}
    for run in done:
        prepared = prepare(run.spec, cache=arguments.cache, truncated=arguments.keep_truncated)
        told = facets(run.spec, prepared)
        if told <= seen:
            continue
        seen |= told
        found.update(dict.fromkeys(find_warnings(run.spec, prepared)))
    return list(found)


def tested_parts(run: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return list((run.metrics or {}).items())


def difference(bundle: Path) -> str:
    from legoc.commands.export import write_difference

    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    return write_difference(manifest["certificate"])


COMMANDS = {"train": Command(train_flags, run_train)}
