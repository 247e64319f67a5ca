"""`legoc replay`: a row of a table made again from what its run or bundle carries."""

from argparse import ArgumentParser, Namespace
from typing import Any

from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, finds_data, prints_json
from legoc.commands.printing import console, print_json


def replay_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN|BUNDLE")
    parser.add_argument(
        "--runs", metavar="FOLDER", default=None,
        help="keep the new run folder there (default: it is removed in the end)",
    )  # fmt: skip
    finds_data(parser)
    caches(parser)
    prints_json(parser)


def run_replay(arguments: Namespace) -> int:
    from legoc.experiments.replay import replay

    made = replay(
        arguments.folder, runs=arguments.runs, data=arguments.data, cache=arguments.cache,
        progress=choose(arguments.quiet),
    )  # fmt: skip
    if arguments.json:
        print_json(made.to_json())
    else:
        show_replay(made)
    return 0 if made.agrees else 1


def show_replay(made: Any) -> None:
    """A line per metric, what became of the new run, and why figures may differ."""
    from legoc.experiments.replay import DIGITS

    out = console()
    where = "metrics.json" if made.source == "metrics.json" else "the bundle, measured now"
    out.print(f"{made.name} on {made.split}: as in {where}, and trained anew")
    width = max(len(name) for name in made.figures)
    for name, pair in made.figures.items():
        out.print(f"  {name:<{width}}  {pair}", highlight=False, markup=False)
    if made.folder is not None:
        out.print(f"the new run: {made.folder}")
    if made.agrees:
        return
    out.print(f"not every figure agrees to {DIGITS} digits")
    for reason in made.reasons:
        out.print(f"  {reason}", highlight=False, markup=False)
    if not made.reasons:
        out.print("  versions, device and threads are the same, as far as they are recorded")


COMMANDS = {"replay": Command(replay_flags, run_replay)}
