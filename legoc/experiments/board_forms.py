"""A leaderboard with the tables of its data sets, as Markdown, CSV and LaTeX."""

import csv
import io
from collections.abc import Sequence

from legoc.experiments.absent import Absent
from legoc.experiments.boards import PUBLISHED, Board
from legoc.experiments.table import Table
from legoc.experiments.table_forms import write_csv, write_latex, write_markdown


Tables = Sequence[tuple[str, Table]]


def write_board_markdown(board: Board, tables: Tables, *, intervals: bool) -> str:
    """The board and then each data set, with headings."""
    parts = [f"## {board.part}\n\n{write_markdown(board, intervals=intervals)}"]
    for data, table in tables:
        parts.append(f"## {data}\n\n{write_markdown(table, intervals=intervals)}")
    return "\n".join(parts)


def write_board_latex(board: Board, tables: Tables, *, intervals: bool) -> str:
    """A `tabular` for the board and one for each data set."""
    parts = [f"% {board.part}\n{write_latex(board, intervals=intervals)}"]
    for data, table in tables:
        parts.append(f"% {data}\n{write_latex(table, intervals=intervals)}")
    return "\n".join(parts)


def write_board_csv(board: Board, tables: Tables, absent: Sequence[Absent]) -> str:
    """A row for each system on each data set, with the data set and, of a row without figures,
    `why`. Published figures of rows that are none here have rows of their own."""
    rows: list[dict[str, str]] = []
    titles: dict[str, None] = {"data": None}
    there: set[tuple[str, str]] = set()
    for data, table in tables:
        reader = csv.DictReader(io.StringIO(write_csv(table)))
        titles |= dict.fromkeys(reader.fieldnames or ())
        for row in reader:
            rows.append({"data": data, **row})
            there.add((data, row["model"]))
    told = f"{board.metric} published"
    figures = {
        (data, row.name.removesuffix(PUBLISHED)): repr(cell.figure)
        for row in board.rows
        if row.name.endswith(PUBLISHED)
        for data, cell in row.cells.items()
    }
    for each in absent:
        value = figures.get((each.data, each.name), "")
        rows.append({"data": each.data, "model": each.name, "why": each.why, told: value})
        there.add((each.data, each.name))
    for (data, name), value in figures.items():
        if (data, name) not in there:
            rows.append({"data": data, "model": name, "why": "published alone", told: value})
    if figures:
        titles[told] = None
    titles["why"] = None
    out = io.StringIO()
    writer = csv.DictWriter(out, list(titles), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({title: row[title] for title in titles if title in row} for row in rows)
    return out.getvalue()
