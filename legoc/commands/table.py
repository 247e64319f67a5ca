"""`legoc table`: runs as the rows of a table, for people, spreadsheets and papers."""

import io
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.chosen_runs import chosen_systems, takes_runs
from legoc.commands.energy_flags import takes_intensity
from legoc.commands.flags import Command, compares
from legoc.commands.output import write_output
from legoc.commands.printing import console, show_warnings
from legoc.commands.printing import table as draw


if TYPE_CHECKING:
    from rich.table import Table as Drawn

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
    takes_published(parser)
    compares(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")


def takes_published(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--published", metavar="FILE",
        help="figures to stand beside: a CSV of row, metric, value; rows are found by their names",
    )  # fmt: skip


def run_table(arguments: Namespace) -> int:
    from legoc.experiments.asked_metrics import full_names, unmeasured
    from legoc.experiments.doubted import put_doubts
    from legoc.experiments.free import put_below
    from legoc.experiments.table import all_metrics, tabulate

    form = chosen_format(arguments)
    beside = chosen_published(arguments)
    systems = chosen_systems(arguments)
    known = all_metrics(systems)
    wanted = full_names(arguments.metrics, known)
    for metric in wanted:
        if metric not in known:
            raise unmeasured(metric, systems[0].results[0], known)
    made = put_beside(put_doubts(tabulate(systems, wanted or known), systems), beside)
    if arguments.energy:
        made = show_electricity(made, systems, arguments.carbon)
    if not arguments.no_baselines:
        made = put_below(made, systems)
    if arguments.output is None and form == "text":
        out = console()
        out.print(drawn(made, intervals=arguments.intervals))
        for text in made.legend():
            out.print(text, style="dim")
    else:
        text = write_form(made, form, intervals=arguments.intervals)
        write_output(text, arguments.output, replaces=True)
    show_warnings(made.warnings, aside=form != "text" or arguments.output is not None)
    return 0


def chosen_published(arguments: Namespace) -> "Published | None":
    """The figures that were asked for."""
    if arguments.published is None:
        return None
    from legoc.experiments.published import read_published

    return read_published(Path(arguments.published))


def put_beside(made: "Table", published: "Published | None") -> "Table":
    """The table with published figures, if there are any."""
    if published is None:
        return made
    from legoc.experiments.published import published_columns

    columns, note = published_columns(published, made.metrics, [row.name for row in made.rows])
    return replace(made, further=(*made.further, *columns), notes=(*made.notes, note))


def show_electricity(made: "Table", systems: "list[System]", carbon: float | None) -> "Table":
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
