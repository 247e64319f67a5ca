"""The table of the page, with free baselines below the systems."""

import math
from collections.abc import Sequence

from legoc.experiments.free import Free
from legoc.experiments.reporting.markup import items, plain, said, section, table
from legoc.experiments.reporting.material import Material
from legoc.experiments.table import Cell
from legoc.experiments.table_forms import cells, columns, repeated, write_cell


AROUND = {"best": ("<strong>", "</strong>"), "second": ("<u>", "</u>"), "": ("", "")}


def write_table(material: Material) -> str:
    """The table of `legoc table --intervals`, free baselines below."""
    made = material.table
    titles = columns(made)
    rows = [cells(made, row, lambda cell: write_figure(cell), plain) for row in made.rows]
    start = 2 if repeated(made) else 1
    classes = [""] * len(rows)
    for each in material.free:
        rows.append(free_row(each, made.metrics, len(titles), start))
        classes.append("free")
    legend = [said(f"{text[0].upper()}{text[1:]}.") for text in made.legend()]
    legend.append(
        "Bold: the best, underlined: the runner-up, each only where it is really better. In "
        "brackets: 95 % intervals."
    )
    if material.compared and made.comparisons != len(material.contrasts):
        legend.append(
            f"Marks rest on {made.comparisons} comparisons, the sentences above on "
            f"{len(material.contrasts)}: asking more makes each harder to tell."
        )
    if material.free:
        legend.append("Rows in italics are free baselines: counted, not trained, without a test.")
    return section(
        "figures", "Figures",
        table(f"Figures on {made.part}", [plain(t) for t in titles], rows, classes=classes),
        items(legend, "legend"),
    )  # fmt: skip


def write_figure(cell: Cell | None) -> str:
    before, behind = AROUND[cell.mark if cell is not None else ""]
    text = write_cell(cell, intervals=True)
    figure_text, bracket, interval = text.partition(" [")
    small = f' <span class="interval">[{interval}</span>' if bracket else ""
    return f"{before}{figure_text}{behind}{small}"


def free_row(each: Free, metrics: Sequence[str], width: int, start: int) -> list[str]:
    """A counted model under the titles of the table: figures alone."""
    found = (each.figure("all", metric) for metric in metrics)
    written = ["-" if math.isnan(value) else f"{value:.4f}" for value in found]
    row = [plain(each.name), *["-"] * (start - 1), *written]
    return [*row, *["-"] * (width - len(row))]
