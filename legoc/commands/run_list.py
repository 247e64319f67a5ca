"""`legoc runs`: what is in the runs folder, and where the points of a file went."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.chosen_runs import is_file, specs_of, verify_selects
from legoc.commands.flags import Command, prints_json, runs, selects
from legoc.commands.printing import console, figure, memory, print_json, table


if TYPE_CHECKING:
    from legoc.experiments.listing import Entry

# As `legoc.experiments.listing.STATES`, which is not imported for the help.
STATES = ("measured", "exported", "trained", "interrupted", "begun", "unreadable")
# Metrics that a line has room for.
SHOWN = 3


def runs_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="PATTERN|FILE",
        help="a part of a name, or one with * and ?, or a run folder; a spec file: say where its "
        "points went",
    )  # fmt: skip
    selects(parser)
    runs(parser)
    parser.add_argument(
        "--state", action="append", choices=STATES, default=[], help="only these; may be repeated"
    )
    parser.add_argument("--remove", action="store_true", help="remove what is listed, asking first")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    prints_json(parser)


def run_runs(arguments: Namespace) -> int:
    from legoc.experiments.listing import choose, list_runs

    place = Path(arguments.runs)
    files = [word for word in arguments.words if is_file(word)]
    verify_selects(arguments, files)
    entries = list_runs(place)
    if files:
        return explain_files(files, entries, arguments)
    chosen = choose(entries, arguments.words, arguments.state)
    if not chosen and arguments.words:
        from legoc.language.diagnosing.diagnostics import fail

        raise fail(
            "E0560",
            f"nothing in `{place}` fits {' or '.join(f'`{word}`' for word in arguments.words)}",
            "`legoc runs` lists all",
        )
    if arguments.json:
        print_json([entry.to_json() for entry in chosen])
    else:
        show_entries(chosen, place)
    return remove_entries(chosen, place, arguments) if arguments.remove and chosen else 0


def show_entries(entries: "Sequence[Entry]", place: Path) -> None:
    """A line per run: its name, folder and state, its first figures, its age and size."""
    out = console()
    if not entries:
        out.print(f"no runs in {place}")
        return
    metrics = list(dict.fromkeys(name for entry in entries for name in entry.figures))[:SHOWN]
    rows = [
        (
            entry.name, entry.folder.name, entry.state,
            *(figure(entry.figures.get(name)) for name in metrics),
            f"{datetime.fromtimestamp(entry.written):%Y-%m-%d %H:%M}", memory(entry.size),
        )
        for entry in entries
    ]  # fmt: skip
    columns = ("run", "folder", "state", *metrics, "written", "size")
    out.print(table(f"{place}: {len(entries)} runs", columns, rows))


def explain_files(files: Sequence[str], entries: "Sequence[Entry]", arguments: Namespace) -> int:
    """Where the points of files went, a line each; with `--state` those whose run is in one of
    these. Nothing is removed by a file."""
    from legoc.experiments.listing import explain_point, has_state
    from legoc.language.diagnosing.diagnostics import fail

    if arguments.remove:
        raise fail(
            "E0560",
            "`--remove` takes patterns, and a file names points",
            "name the runs to remove, as `legoc runs` lists them",
        )
    pattern = next((word for word in arguments.words if word not in files), None)
    if pattern is not None:
        raise fail(
            "E0560",
            f"`{pattern}` is a pattern, and a file names points",
            "name files or patterns; `--only` chooses among the points of a file",
        )
    said = {
        spec.name: explain_point(spec, entries)
        for file in files
        for spec in specs_of(file, arguments)
        if not arguments.state or has_state(spec, entries, arguments.state)
    }
    if arguments.json:
        print_json(said)
        return 0
    for name, text in said.items():
        print(f"{name}: {text}")
    if not said and arguments.state:
        states = " or ".join(arguments.state)
        print(f"{', '.join(files)}: no point of it has a run that is {states}")
    return 0


def remove_entries(entries: "Sequence[Entry]", place: Path, arguments: Namespace) -> int:
    """Remove run folders, after a question unless it was answered. A run that is being trained is
    left alone, and ends the command (E0553)."""
    from legoc.experiments.folders import last_written, list_folders
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.training.folder import enter_index, leave_index, locked, read_index
    from legoc.training.results import remove_folder

    if not arguments.yes:
        if not sys.stdin.isatty():
            raise fail(
                "E0560",
                f"{len(entries)} runs would be removed, and nobody can be asked",
                "say so beforehand with `--yes`",
            )
        size = memory(sum(entry.size for entry in entries))
        print(f"remove {len(entries)} runs, {size}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("nothing was removed", file=sys.stderr)
            return 1
    for entry in entries:
        with locked(entry.folder):
            remove_folder(entry.folder)
        leave_index(place, entry.folder)
        print(f"{entry.folder}: removed", file=sys.stderr)
    # The index has one folder of each name: another one of it takes the place of the removed.
    index = read_index(place)
    for one in sorted(list_folders(place), key=lambda one: last_written(one.folder)):
        if one.point not in index and one.spec is not None:
            enter_index(place, one.point, one.folder)
    return 0


COMMANDS = {"runs": Command(runs_flags, run_runs)}
