"""The runs that a command puts side by side: named one by one, or all of a file."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.flags import ranks, runs, selects
from legoc.commands.printing import show_warnings


if TYPE_CHECKING:
    from legoc.experiments.results import Result
    from legoc.experiments.systems import System
    from legoc.language import Spec
    from legoc.language.diagnosing.diagnostics import LegoError

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
    """The systems of the runs that were named. Points of a file without a run are said, and every
    run whose groups were not kept."""
    from legoc.experiments.systems import gather
    from legoc.language.diagnosing.diagnostics import LegoError

    results, lacking = read_results(chosen_folders(arguments), arguments)
    if lacking:
        raise LegoError(*(each for error in lacking.values() for each in error.diagnostics))
    return gather(results)


def read_results(
    folders: Sequence[Path], arguments: Namespace
) -> "tuple[list[Result], dict[Path, LegoError]]":
    """What evaluations left in some folders, and what is said of the others."""
    from legoc.experiments.results import read_result
    from legoc.language.diagnosing.diagnostics import LegoError

    results: list[Result] = []
    lacking: dict[Path, LegoError] = {}
    for folder in folders:
        try:
            results.append(read_result(folder, arguments.split, arguments.candidates))
        except LegoError as error:
            lacking[folder] = error
    return results, lacking


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What words name. specs: the points of the files among them; missing: those without a run, by
    file."""

    folders: list[Path]
    specs: "list[Spec]"
    missing: "dict[str, Sequence[Spec]]"

    def warn(self, place: str) -> None:
        """Say which points have no run."""
        for word, specs in self.missing.items():
            names = ", ".join(spec.name for spec in specs[:SHOWN])
            more = ", ..." if len(specs) > SHOWN else ""
            told = f"{len(specs)} of its points have no run in {place}: {names}{more}"
            show_warnings([f"{told}; `legoc runs {word}` says why"], aside=True)


def chosen_folders(arguments: Namespace) -> list[Path]:
    """The folders that the words name, each once."""
    found = choose_folders(arguments)
    found.warn(arguments.runs)
    return found.folders


def choose_folders(arguments: Namespace) -> Chosen:
    """The folders that the words name, each once, and the points that have none. E0560 for a file
    none of whose points has one."""
    from legoc.experiments.folders import find_points, find_runs
    from legoc.language.diagnosing.diagnostics import fail

    place = Path(arguments.runs)
    verify_selects(arguments, [word for word in arguments.runs_or_file if is_file(word)])
    folders: list[Path] = []
    specs: list[Spec] = []
    missing: dict[str, Sequence[Spec]] = {}
    for word in arguments.runs_or_file:
        if not is_file(word):
            folders += find_runs(word, place)
            continue
        own = specs_of(word, arguments)
        found = find_points(own, place)
        if not found.folders:
            raise fail(
                "E0560",
                f"no run of `{word}` is in `{place}`",
                f"train them with `legoc train {word}`",
            )
        if found.missing:
            missing[word] = found.missing
        specs += own
        folders += found.folders
    return Chosen(folders=list(dict.fromkeys(folders)), specs=specs, missing=missing)


def chosen_folder(arguments: Namespace) -> str:
    """The folder of a run or a bundle that a word names, by its path or by the name of the point.
    What is there and is neither is for its reader to refuse."""
    from legoc.experiments.folders import find_runs
    from legoc.language.diagnosing.diagnostics import fail

    word = arguments.folder
    if Path(word).exists():
        return word
    found = find_runs(word, Path(arguments.runs))
    if len(found) > 1:
        raise fail(
            "E0560",
            f"`{word}` names {len(found)} runs",
            f"name one of {', '.join(f'`{folder}`' for folder in found)}",
        )
    return str(found[0])


def verify_selects(arguments: Namespace, files: Sequence[str]) -> None:
    """E0560 for `--set` or `--only` where no file is named whose points they could choose."""
    from legoc.language.diagnosing.diagnostics import fail

    for flag, given in (("--set", arguments.overrides), ("--only", arguments.only)):
        if given and not files:
            raise fail(
                "E0560",
                f"`{flag}` chooses among the points of a file, and no file is named",
                f"name the spec file, or leave `{flag}` out",
            )


def is_file(word: str) -> bool:
    """Whether a word is meant as a spec file, there or not."""
    path = Path(word)
    return path.is_file() or (path.suffix in (".lego", ".json", ".yaml") and not path.is_dir())


def specs_of(file: str, arguments: Namespace) -> "list[Spec]":
    """The points of a file, under the overrides of the command."""
    from legoc.commands.points import points

    return points(Namespace(file=file, overrides=arguments.overrides, only=arguments.only))
