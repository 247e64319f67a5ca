"""A table as text: Markdown, CSV and LaTeX. Every form has the same rows."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence

from legoc.experiments.table import DOUBT, Cell, Row, Table


ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
ARROWS = {"higher": "↑", "lower": "↓"}
LATEX_ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$"}
LATEX_DOUBT = r"\textdagger{}"
COSTS = ("parameters", "CPU s", "memory", "trials")


def columns(
    table: Table, arrows: Mapping[str, str] = ARROWS, name: Callable[[str], str] = str
) -> list[str]:
    """The titles, those of cost only where some of it is known."""
    seeds = ["seeds"] if repeated(table) else []
    measured = [f"{name(metric)} {arrows[better]}" for metric, better in table.better.items()]
    further = [name(column.title) for column in table.further]
    return ["model", *seeds, *measured, *known_costs(table), *further]


def repeated(table: Table) -> bool:
    """Whether a row rests on more than one training."""
    return any(row.seeds > 1 for row in table.rows)


def known_costs(table: Table) -> list[str]:
    """The titles of what is known of some row."""
    known = [costs(row) for row in table.rows]
    return [title for place, title in enumerate(COSTS) if any(each[place] for each in known)]


def costs(row: Row) -> tuple[str, str, str, str]:
    """Parameters, CPU seconds, memory and the trials of a search as a person reads them; empty
    where not known."""
    cost = row.cost
    return (
        "" if cost.parameters is None else f"{cost.parameters:,}",
        "" if cost.cpu is None else f"{cost.cpu:,.1f}",
        "" if cost.memory is None else f"{cost.memory / 2**20:,.0f} MiB",
        "" if cost.trials is None else f"{cost.trials:,}",
    )


def write_cell(cell: Cell | None, *, intervals: bool, plus: str = "±") -> str:
    """`0.5304 ± 0.0352 [0.4911, 0.5690]`; a dash where there is no figure."""
    if cell is None or math.isnan(cell.figure):
        return "-"
    text = f"{cell.figure:.4f}"
    if cell.deviation is not None:
        text += f" {plus} {cell.deviation:.4f}"
    if intervals and not math.isnan(cell.interval.low):
        text += f" [{cell.interval.low:.4f}, {cell.interval.high:.4f}]"
    return text


def cells(
    table: Table,
    row: Row,
    write: Callable[[Cell | None], str],
    name: Callable[[str], str] = str,
    doubt: str = f" {DOUBT}",
) -> list[str]:
    """The texts of a row under `columns`. doubt: stands behind figures that say nothing."""
    seeds = [name(str(row.seeds or "-"))] if repeated(table) else []
    paid = dict(zip(COSTS, costs(row), strict=True))
    paid_for = [name(paid[title] or "-") for title in known_costs(table)]
    doubted = table.doubted.get(row.name, {})
    figures = (
        write(row.cells.get(metric)) + doubt * (metric in doubted and has_figure(row, metric))
        for metric in table.metrics
    )
    further = [name(column.texts.get(row.name, "-")) for column in table.further]
    return [name(row.name), *seeds, *figures, *paid_for, *further]


def has_figure(row: Row, metric: str) -> bool:
    cell = row.cells.get(metric)
    return cell is not None and not math.isnan(cell.figure)


def marked(text: str, cell: Cell | None, around: Mapping[str, tuple[str, str]]) -> str:
    before, behind = around.get(cell.mark if cell is not None else "", ("", ""))
    return f"{before}{text}{behind}"


def write_text_rows(table: Table, *, intervals: bool) -> list[list[str]]:
    """The rows for a terminal: `*` behind the best, `+` behind the runner-up."""
    around = {"best": ("", " *"), "second": ("", " +")}

    def write(cell: Cell | None) -> str:
        return marked(write_cell(cell, intervals=intervals), cell, around)

    return [cells(table, row, write) for row in table.rows]


def write_markdown(table: Table, *, intervals: bool) -> str:
    """The best in bold, the runner-up in italics."""
    around = {"best": ("**", "**"), "second": ("*", "*")}

    def write(cell: Cell | None) -> str:
        return marked(write_cell(cell, intervals=intervals), cell, around)

    def name(text: str) -> str:
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*")

    titles = columns(table)
    lines = [titles, ["---", *("---:" for _ in titles[1:])]]
    lines += [cells(table, row, write, name) for row in table.rows]
    body = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return body + "\n" + "".join(f"{text[0].upper()}{text[1:]}.\n" for text in table.legend())


def write_csv(table: Table) -> str:
    """Numbers in full, a column each: figure, deviation, low, high and mark of every metric."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parts = ("", " deviation", " low", " high", " mark")
    searched = any(row.cost.trials is not None for row in table.rows)
    writer.writerow([
        "model", "seeds", "groups", *(f"{m}{part}" for m in table.metrics for part in parts),
        "parameters", "cpu_seconds", "memory_bytes", *(["trials"] if searched else []),
        *(name for column in table.further for name in column.names),
    ])  # fmt: skip
    for row in table.rows:
        values: list[object] = [row.name, row.seeds or "", table.groups]
        for metric in table.metrics:
            values += list(numbers(row.cells.get(metric)))
        cost = row.cost
        paid = (cost.parameters, cost.cpu, cost.memory, *((cost.trials,) if searched else ()))
        further = [
            value
            for column in table.further
            for value in column.values.get(row.name, ("",) * len(column.names))
        ]
        values += ["" if v is None else v for v in (*paid, *further)]
        writer.writerow(values)
    return out.getvalue()


def numbers(cell: Cell | None) -> Sequence[object]:
    """What CSV has of a cell; nothing where there is none."""
    if cell is None:
        return ("",) * 5
    values = (cell.figure, cell.deviation, cell.interval.low, cell.interval.high)
    shown = ("" if v is None or math.isnan(v) else repr(v) for v in values)
    return (*shown, cell.mark)


def write_latex(table: Table, *, intervals: bool) -> str:
    """A `tabular` for `booktabs`, the best in bold, the runner-up underlined."""
    around = {"best": (r"\textbf{", "}"), "second": (r"\underline{", "}")}

    def write(cell: Cell | None) -> str:
        text = write_cell(cell, intervals=intervals, plus=r"$\pm$")
        return marked("--" if text == "-" else text, cell, around)

    def name(text: str) -> str:
        return "--" if text == "-" else escape(text)

    titles = columns(table, LATEX_ARROWS, escape)
    rows = [cells(table, row, write, name, LATEX_DOUBT) for row in table.rows]
    lines = [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([
        r"% \usepackage{booktabs}",
        *(f"% {text.replace(DOUBT, LATEX_DOUBT)}" for text in table.legend()),
        rf"\begin{{tabular}}{{l{'r' * (len(titles) - 1)}}}",
        r"\toprule",
        " & ".join(titles) + r" \\",
        r"\midrule",
        *lines,
        r"\bottomrule",
        r"\end{tabular}",
        "",
    ])  # fmt: skip


def escape(text: str) -> str:
    """A text as LaTeX prints it."""
    return "".join(ESCAPES.get(letter, letter) for letter in text)
