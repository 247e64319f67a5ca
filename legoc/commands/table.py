"""`legoc table`: runs as the rows of a table, for people, spreadsheets and papers."""

import io
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.boards import chosen_blocks
from legoc.commands.chosen_runs import takes_runs
from legoc.commands.energy_flags import takes_intensity
from legoc.commands.flags import Command, compares
from legoc.commands.output import write_output
from legoc.commands.printing import console, show_warnings
from legoc.commands.printing import table as draw


if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table as Drawn

    from legoc.commands.boards import Blocks
    from legoc.experiments.blocks import Block
    from legoc.experiments.boards import Board
    from legoc.experiments.published import Published
    from legoc.experiments.systems import System
    from legoc.experiments.table import Table

FORMATS = ("text", "markdown", "csv", "latex")
ENDINGS = {".md": "markdown", ".csv": "csv", ".tex": "latex", ".txt": "text"}
WIDTH = 200


def table_flags(parser: ArgumentParser) -> None:
    takes_runs(parser)
    parser.add_argument(
        "--format", choices=FORMATS, default=None,
        help="text, markdown, csv or latex (default: by the ending of -o, else text)",
    )  # fmt: skip
    parser.add_argument("--intervals", action="store_true", help="show 95 %% intervals, too")
    parser.add_argument(
        "--energy", action="store_true",
        help="show kWh, kg CO2e and AUC per carbon (ApC) of training, too",
    )  # fmt: skip
    takes_intensity(parser, "(default: that of the runs)")
    parser.add_argument(
        "--latency", action="store_true",
        help="show milliseconds per sample as measured, and what reading histories once saved",
    )  # fmt: skip
    takes_published(parser)
    compares(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")


def takes_published(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--published", metavar="FILE",
        help="figures to stand beside: a CSV of row, metric, value, or with the data set before "
        "them; rows are found by their names",
    )  # fmt: skip


def run_table(arguments: Namespace) -> int:
    form = chosen_format(arguments)
    beside = chosen_published(arguments)
    chosen = chosen_blocks(arguments)
    wanted = wanted_metrics(arguments, chosen)
    made = [(each.data, fill_table(each, wanted, beside, arguments)) for each in chosen.blocks]
    if chosen.several:
        return show_board(board_of(chosen, made, beside), made, chosen, form, arguments)
    ((_, whole),) = made
    if arguments.output is None and form == "text":
        show_drawn(whole, arguments)
    else:
        text = write_form(whole, form, intervals=arguments.intervals)
        write_output(text, arguments.output, replaces=True)
    show_warnings(whole.warnings, aside=form != "text" or arguments.output is not None)
    return 0


def wanted_metrics(arguments: Namespace, chosen: "Blocks") -> list[str]:
    """The metrics that were asked for, by their full names; all where none was. E0598 for one that
    was not measured on any data set."""
    from legoc.experiments.asked_metrics import full_names, unmeasured
    from legoc.experiments.table import all_metrics

    systems = [system for each in chosen.blocks for system in each.systems]
    known = all_metrics(systems)
    wanted = full_names(arguments.metrics, known)
    for metric in wanted:
        if metric not in known:
            raise unmeasured(metric, systems[0].results[0], known)
    return wanted or known


def fill_table(
    block: "Block", metrics: "Sequence[str]", beside: "Published | None", arguments: Namespace
) -> "Table":
    """The table of one data set with all that was asked for."""
    from legoc.experiments.doubted import put_doubts
    from legoc.experiments.free import put_below
    from legoc.experiments.table import all_metrics, tabulate

    systems = block.systems
    known = all_metrics(systems)
    made = put_doubts(tabulate(systems, [m for m in metrics if m in known]), systems)
    made = put_beside(made, beside, block.data)
    if arguments.latency:
        made = show_latency(made, systems)
    if arguments.energy:
        made = show_electricity(made, systems, arguments.carbon)
    if not arguments.no_baselines:
        made = put_below(made, systems)
    return made


def board_of(
    chosen: "Blocks", made: "Sequence[tuple[str, Table]]", beside: "Published | None"
) -> "Board":
    """The leaderboard of the first metric."""
    from legoc.experiments.boards import make_board

    metric = next(metric for _, table in made for metric in table.metrics)
    return make_board(metric, made, chosen.names, chosen.absent, beside)


def show_board(
    board: "Board", made: "Sequence[tuple[str, Table]]", chosen: "Blocks", form: str,
    arguments: Namespace,
) -> int:  # fmt: skip
    """Print or write a leaderboard and the table of each data set below it."""
    from legoc.experiments.board_forms import (
        write_board_csv,
        write_board_latex,
        write_board_markdown,
    )

    intervals = arguments.intervals
    if arguments.output is None and form == "text":
        for each in (board, *(named(data, table) for data, table in made)):
            show_drawn(each, arguments)
    else:
        if form == "csv":
            text = write_board_csv(board, made, chosen.absent)
        elif form == "latex":
            text = write_board_latex(board, made, intervals=intervals)
        elif form == "markdown":
            text = write_board_markdown(board, made, intervals=intervals)
        else:
            tables = (board, *(named(data, table) for data, table in made))
            text = "\n".join(write_form(each, form, intervals=intervals) for each in tables)
        write_output(text, arguments.output, replaces=True)
    told = [f"{data}: {text}" for data, table in made for text in table.warnings]
    show_warnings(told, aside=form != "text" or arguments.output is not None)
    return 0


def named(data: str, table: "Table") -> "Table":
    """A table whose title says of which data set it is."""
    return replace(table, part=f"{data}, {table.part}")


def show_drawn(made: "Table", arguments: Namespace) -> None:
    out = console()
    out.print(drawn(made, intervals=arguments.intervals))
    for text in made.legend():
        out.print(text, style="dim")


def chosen_published(arguments: Namespace) -> "Published | None":
    """The figures that were asked for."""
    if arguments.published is None:
        return None
    from legoc.experiments.published import read_published

    return read_published(Path(arguments.published))


def put_beside(made: "Table", published: "Published | None", data: str) -> "Table":
    """The table with the figures that are published of its data set, if there are any."""
    if published is None:
        return made
    from legoc.experiments.published import published_columns

    own, names = published.of(data), [row.name for row in made.rows]
    columns, note = published_columns(own, made.metrics, names)
    return replace(made, further=(*made.further, *columns), notes=(*made.notes, note))


def show_latency(made: "Table", systems: "Sequence[System]") -> "Table":
    """The table with what a sample took, where that was recorded."""
    from legoc.experiments.latency import find_latency

    found = find_latency(systems, made.part)
    return replace(made, further=(*made.further, *found.columns), notes=(*made.notes, *found.notes))


def show_electricity(made: "Table", systems: "Sequence[System]", carbon: float | None) -> "Table":
    """The table with what its rows took of electricity."""
    from legoc.experiments.electricity import find_electricity

    found = find_electricity(systems, carbon)
    return replace(
        made,
        further=(*made.further, *found.columns),
        notes=(*made.notes, *found.notes),
        warnings=(*made.warnings, *found.warnings),
    )


def chosen_format(arguments: Namespace) -> str:
    """What was asked for, else what the ending of the file says; E0599 for an ending that says
    nothing."""
    if arguments.format is not None:
        return arguments.format
    path = Path(arguments.output or "")
    if path.suffix in ENDINGS or not path.suffix:
        return ENDINGS.get(path.suffix, "text")
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.diagnosing.suggest import listing

    raise fail(
        "E0599",
        f"`{path.name}` does not say how the table is to be written",
        f"name a file that ends in {listing(list(ENDINGS), joint='or')}, or say `--format`",
    )


def write_form(made: "Table", form: str, *, intervals: bool) -> str:
    """The table as a text of one of FORMATS."""
    from legoc.experiments.table_forms import write_csv, write_latex, write_markdown

    if form == "csv":
        return write_csv(made)
    if form == "latex":
        return write_latex(made, intervals=intervals)
    if form == "markdown":
        return write_markdown(made, intervals=intervals)
    from rich.console import Console

    text = io.StringIO()
    Console(file=text, markup=False, highlight=False, width=WIDTH).print(
        drawn(made, intervals=intervals)
    )
    return text.getvalue() + "".join(f"{line}\n" for line in made.legend())


def drawn(made: "Table", *, intervals: bool) -> "Drawn":
    from legoc.experiments.table_forms import columns, write_text_rows

    return draw(made.part, columns(made), write_text_rows(made, intervals=intervals))


COMMANDS = {"table": Command(table_flags, run_table)}
