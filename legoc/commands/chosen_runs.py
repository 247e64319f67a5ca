"""The runs that a command puts side by side: named one by one, or all of a file."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.flags import ranks, runs, selects


if TYPE_CHECKING:
    from legoc.experiments.systems import System
    from legoc.language import Spec

# Names of missing points that a message has room for.
SHOWN = 3


def takes_runs(parser: ArgumentParser) -> None:
    parser.add_argument(
        "runs_or_file", nargs="+", metavar="RUN|FILE",
        help="run folders, names of points, or a spec file: all runs it names",
    )  # fmt: skip
    selects(parser)
    runs(parser)
    parser.add_argument(
        "--split", choices=("train", "valid", "test"), default=None,
        help="the part of the data (default: test, else valid)",
    )  # fmt: skip
    ranks(
        parser, "the results of what was shown, or of the whole catalogue (default: what each "
        "recipe says)",
    )  # fmt: skip
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", dest="metrics",
        help="one of the metrics that were measured, such as NDCG(5); may be repeated",
    )  # fmt: skip


def chosen_systems(arguments: Namespace) -> "list[System]":
    """The systems of the runs that were named. Points of a file without a run are said."""
    from legoc.experiments.results import read_result
    from legoc.experiments.systems import gather

    results = [
        read_result(folder, arguments.split, arguments.candidates)
        for folder in chosen_folders(arguments)
    ]
    return gather(results)


def chosen_folders(arguments: Namespace) -> list[Path]:
    """The folders that the words name, each once."""
    from legoc.experiments.folders import find_points, find_runs
    from legoc.language.diagnosing.diagnostics import fail

    place = Path(arguments.runs)
    folders: list[Path] = []
    for word in arguments.runs_or_file:
        if not is_file(word):
            folders += find_runs(word, place)
            continue
        found = find_points(specs_of(word, arguments), place)
        if not found.folders:
            raise fail(
                "E0560",
                f"no run of `{word}` is in `{place}`",
                f"train them with `legoc train {word}`",
            )
        if found.missing:
            names = ", ".join(spec.name for spec in found.missing[:SHOWN])
            more = ", ..." if len(found.missing) > SHOWN else ""
            print(
                f"{len(found.missing)} of its points have no run in {place}: {names}{more}; "
                f"`legoc runs {word}` says why",
                file=sys.stderr,
            )
        folders += found.folders
    return list(dict.fromkeys(folders))


def is_file(word: str) -> bool:
    """Whether a word is meant as a spec file, there or not."""
    path = Path(word)
    return path.is_file() or (path.suffix in (".lego", ".json", ".yaml") and not path.is_dir())


def specs_of(file: str, arguments: Namespace) -> "list[Spec]":
    """The points of a file, under the overrides of the command."""
    from legoc.commands.points import points

    return points(Namespace(file=file, overrides=arguments.overrides, only=arguments.only))
