"""`legoc table`: runs as the rows of a table, for people, spreadsheets and papers."""

import io
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.chosen_runs import chosen_systems, takes_runs
from legoc.commands.flags import Command, compares
from legoc.commands.output import write_output
from legoc.commands.printing import console, show_warnings
from legoc.commands.printing import table as draw


if TYPE_CHECKING:
    from rich.table import Table as Drawn

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
    compares(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")


def run_table(arguments: Namespace) -> int:
    from legoc.experiments.contrast import unmeasured
    from legoc.experiments.free import find_free, put_below
    from legoc.experiments.table import all_metrics, tabulate

    form = chosen_format(arguments)
    systems = chosen_systems(arguments)
    known = all_metrics(systems)
    for metric in arguments.metrics:
        if metric not in known:
            raise unmeasured(metric, systems[0].results[0], known)
    made = tabulate(systems, arguments.metrics or known)
    if not arguments.no_baselines:
        made = put_below(made, find_free(systems, made.part))
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
