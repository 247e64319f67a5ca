"""`legoc train`: every run of a file, from raw data to its scores."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.console import choose
from legoc.commands.flags import (
    Command,
    caches,
    machine,
    prints_json,
    runs,
    takes_file,
    verifies,
)
from legoc.commands.points import points
from legoc.commands.printing import console, figure, print_json, table
from legoc.commands.sweep import Sweep, go_on, show_failures


if TYPE_CHECKING:
    from legoc.language import Spec
    from legoc.model.run import Run


def train_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    caches(parser)
    runs(parser)
    parser.add_argument(
        "--until", choices=("data", "train", "export", "evaluate"), default="evaluate",
        help="stop after this phase (default: evaluate)",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="repeat runs that are finished")
    machine(parser)
    verifies(parser)
    prints_json(parser)


def run_train(arguments: Namespace) -> int:
    from legoc.training import train

    progress = choose(arguments.quiet)

    def work(spec: "Spec") -> "Run":
        return train(
            spec, runs=arguments.runs, until=arguments.until, cache=arguments.cache,
            again=arguments.again, strict=arguments.strict, truncated=arguments.keep_truncated,
            threads=arguments.threads, device=arguments.device, progress=progress,
        )  # fmt: skip

    # All of the file is checked before anything trains.
    specs = points(arguments)
    sweep = Sweep()
    try:
        go_on(specs, work, sweep, progress)
    finally:
        # What is done is shown, whatever ends the others.
        if arguments.json:
            print_json([one.to_json() for one in sweep.ended])
        else:
            show_runs(sweep.done)
    return show_failures(sweep.failed, len(specs))


def show_runs(done: Sequence[Any]) -> None:
    """One table over all runs of a command, then where each lies."""
    out = console()
    tested = [(run, split, found) for run in done for split, found in tested_parts(run)]
    if tested:
        names = list(dict.fromkeys(name for _, _, found in tested for name in found["metrics"]))
        out.print(
            table(
                "evaluated through onnxruntime",
                ("run", "split", *names),
                (
                    (run.spec.name, split, *(figure(found["metrics"].get(name)) for name in names))
                    for run, split, found in tested
                ),
            )
        )
    for run in done:
        out.print(f"{run.spec.name}: {run.folder}")
        if run.bundle.is_dir():
            out.print(f"  bundle {run.bundle}, largest difference {difference(run.bundle)}")


def tested_parts(run: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return list((run.metrics or {}).items())


def difference(bundle: Path) -> str:
    from legoc.commands.export import write_difference

    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    return write_difference(manifest["certificate"])


COMMANDS = {"train": Command(train_flags, run_train)}
