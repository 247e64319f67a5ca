"""The sections of the page that hold figures: the table, differences, parts of the rows, cost."""

import math
from collections.abc import Sequence

from legoc.evaluation.marks import reasons
from legoc.experiments.reporting.charts import Mark, Place, dots, scatter
from legoc.experiments.reporting.drawing import HUES, draw
from legoc.experiments.reporting.frames import Forest, Slice
from legoc.experiments.reporting.free import Free
from legoc.experiments.reporting.markup import (
    figure,
    figures,
    items,
    paragraph,
    plain,
    said,
    section,
    table,
)
from legoc.experiments.reporting.material import Material
from legoc.experiments.reporting.trade import Point
from legoc.experiments.table import Cell
from legoc.experiments.table_forms import cells, columns, repeated, write_cell


DOUBT = "†"
AROUND = {"best": ("<strong>", "</strong>"), "second": ("<u>", "</u>"), "": ("", "")}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What is written of a cost: its axis, then its unit behind a figure.
COSTS = {
    "cpu": ("CPU seconds of one training", "CPU s"),
    "parameters": ("parameters", "parameters"),
}


def write_table(material: Material) -> str:
    """The table of `legoc table --intervals`, free baselines below."""
    made = material.table
    titles = columns(made)
    rows = [cells(made, row, lambda cell: write_figure(cell), plain) for row in made.rows]
    start = 2 if repeated(made) else 1
    for row, named in zip(rows, made.rows, strict=True):
        doubted = material.marks.get(named.name, {})
        for place, metric in enumerate(made.metrics, start=start):
            if metric in doubted and row[place] != "-":
                row[place] += f" {DOUBT}"
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
    doubts = [reason.replace("*", DOUBT, 1) for reason in doubted_lines(material)]
    return section(
        "figures", "Figures",
        table(f"Figures on {made.part}", [plain(t) for t in titles], rows, classes=classes),
        items([*legend, *(said(text) for text in doubts)], "legend"),
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


def doubted_lines(material: Material) -> list[str]:
    """Each reason once, with the systems it is of."""
    found: dict[str, list[str]] = {}
    for name, marks in material.marks.items():
        shown = {metric: why for metric, why in marks.items() if metric in material.table.metrics}
        for line in reasons(shown):
            found.setdefault(line, []).append(name)
    return [f"{line} ({', '.join(names)})" for line, names in found.items()]


def write_forests(material: Material) -> str:
    """Each system less the best one, for every metric that was compared."""
    drawn = [draw_forest(forest, n) for n, forest in enumerate(material.forests) if forest.rows]
    if not drawn:
        return ""
    key = (
        "Filled diamonds: real differences, empty circles: not distinguishable; lines: 95 % "
        "intervals, paired over users and with other seeds in mind."
    )
    return section(
        "differences", "Differences from the best", paragraph(key, "dim"), figures(drawn)
    )


def draw_forest(forest: Forest, number: int) -> str:
    rows = [
        Mark(
            name=row.name, text=f"{row.difference:+.4f}", value=row.difference, low=row.low,
            high=row.high, shape="diamond" if row.real else "circle", filled=row.real,
        )
        for row in forest.rows
    ]  # fmt: skip
    told = "; ".join(
        f"{row.name}: {row.difference:+.4f}, interval {row.low:+.4f} to {row.high:+.4f}, "
        f"{'real' if row.real else 'not distinguishable'}"
        for row in forest.rows
    )
    ends = [end for row in rows for end in (row.low, row.high, row.value)]
    chart = dots(rows, f"difference of {forest.metric}", padded([*ends, 0.0]), zero=True)
    title = f"Differences of {forest.metric} from {forest.best}"
    caption = f"<b>{plain(forest.metric)}</b>, less the {forest.figure:.4f} of {plain(forest.best)}"
    return figure(draw(chart, f"forest{number}", title, told), caption)


def write_slices(material: Material) -> str:
    """The first metric on known and new items and on users without clicks."""
    if not material.slices:
        return ""
    ends = [
        end
        for part in material.slices
        for dot in part.dots
        for end in (dot.figure - (dot.deviation or 0), dot.figure + (dot.deviation or 0))
    ]
    drawn = [
        draw_slice(part, material.first, padded(ends), n) for n, part in enumerate(material.slices)
    ]
    free = " Empty triangle: the best free baseline there." if material.free else ""
    key = f"Points: means over seeds; lines: one standard deviation over seeds to each side.{free}"
    return section("slices", "Known, new and cold", paragraph(key, "dim"), figures(drawn))


def draw_slice(part: Slice, metric: str, domain: tuple[float, float], number: int) -> str:
    rows = [
        Mark(
            name=f"{dot.name}, free" if dot.free else dot.name, text=f"{dot.figure:.4f}",
            value=dot.figure, low=dot.figure - (dot.deviation or 0),
            high=dot.figure + (dot.deviation or 0),
            shape="triangle-up" if dot.free else "circle", filled=not dot.free,
            hue=HUES[1] if dot.free else HUES[0],
        )
        for dot in part.dots
    ]  # fmt: skip
    told = "; ".join(f"{row.name}: {row.text}" for row in rows)
    groups = "" if part.groups is None else f", {part.groups:,} groups"
    few = ": few, so read with care" if part.few else ""
    chart = dots(rows, metric, domain, zero=False)
    svg = draw(chart, f"slice{number}", f"{metric} on {part.name}", told)
    return figure(svg, f"<b>{plain(part.name)}</b>{groups}{few}")


def write_costs(material: Material) -> str:
    """The first metric against what a training cost, with the Pareto front."""
    if not material.costs:
        return ""
    letters = {system.name: letter(place) for place, system in enumerate(material.systems)}
    points = [point for found in material.costs.values() for point in found]
    ends = [
        end
        for point in points
        for end in (point.figure, point.interval.low, point.interval.high)
        if not math.isnan(end)
    ]
    counted = [each.figure("all", material.first) for each in material.free]
    counted = [figure for figure in counted if not math.isnan(figure)]
    choose = max if material.table.better[material.first] == "higher" else min
    level = choose(counted) if counted else None
    domain = padded([*ends, *([] if level is None else [level])])
    drawn = [
        draw_costs(material.first, name, found, letters, domain, level)
        for name, found in material.costs.items()
    ]
    line = " Dashed: the best free baseline." if level is not None else ""
    key = (
        "Filled diamonds: nothing is both cheaper and better (the Pareto front, joined by steps); "
        f"empty circles: something is. Lines: 95 % intervals.{line}"
    )
    return section("costs", "Accuracy against cost", paragraph(key, "dim"), figures(drawn))


def draw_costs(
    metric: str, cost: str, points: Sequence[Point], letters: dict[str, str],
    domain: tuple[float, float], level: float | None,
) -> str:  # fmt: skip
    places = [
        Place(
            letter=letters[point.name], x=point.cost, y=point.figure,
            low=point.figure if math.isnan(point.interval.low) else point.interval.low,
            high=point.figure if math.isnan(point.interval.high) else point.interval.high,
            chosen=point.front,
        )
        for point in points
    ]  # fmt: skip
    axis, unit = COSTS[cost]
    lines = [
        f"{letters[point.name]}: {point.name}, {metric} {point.figure:.4f}, "
        f"{write_cost(point.cost, cost)} {unit}{', on the front' if point.front else ''}"
        for point in points
    ]
    chart = scatter(places, (axis, metric), domain, level)
    svg = draw(chart, f"cost-{cost}", f"{metric} against {axis}", "; ".join(lines))
    return figure(svg + items([plain(line) for line in lines], "key"),
                  f"<b>{plain(metric)}</b> against {axis}")  # fmt: skip


def write_cost(value: float, cost: str) -> str:
    return f"{value:,.1f}" if cost == "cpu" else f"{value:,.0f}"


def letter(place: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    turn, place = divmod(place, len(LETTERS))
    return LETTERS[place] + (str(turn) if turn else "")


def padded(ends: Sequence[float]) -> tuple[float, float]:
    """A range around values, with some air."""
    known = [end for end in ends if not math.isnan(end)] or [0.0]
    air = 0.06 * (max(known) - min(known)) or 0.01
    return min(known) - air, max(known) + air
