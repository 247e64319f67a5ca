"""The sections of the page with pictures of figures: differences, parts of the rows, cost."""

import math
from collections.abc import Mapping, Sequence

from legoc.experiments.reporting.dots import Mark, dots
from legoc.experiments.reporting.drawing import HUES, draw
from legoc.experiments.reporting.frames import Forest, Slice
from legoc.experiments.reporting.markup import figure, figures, items, paragraph, plain, section
from legoc.experiments.reporting.material import Material
from legoc.experiments.reporting.scatter import Place, scatter
from legoc.experiments.reporting.trade import Point


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The axis of a cost and the form of its numbers; what stands behind one in a text.
COSTS = {"cpu": ("CPU seconds of one training", "~g"), "parameters": ("parameters", "~s")}
UNITS = {"cpu": "CPU s", "parameters": "parameters"}


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
    return section("costs", "Accuracy against cost", paragraph(key, "dim"), figures(drawn),
                   items(name_points(material, letters), "key"))  # fmt: skip


def draw_costs(
    metric: str, cost: str, points: Sequence[Point], letters: Mapping[str, str],
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
    axis, form = COSTS[cost]
    told = "; ".join(
        f"{point.name}: {point.figure:.4f}, {write_cost(point.cost, cost)}"
        + (", on the front" if point.front else "")
        for point in points
    )
    chart = scatter(places, (axis, metric), domain, level, form)
    svg = draw(chart, f"cost-{cost}", f"{metric} against {axis}", told)
    return figure(svg, f"<b>{plain(metric)}</b> against {axis}")


def name_points(material: Material, letters: Mapping[str, str]) -> list[str]:
    """A line for each letter: `A: text, GAUC 0.6627, 4.65 CPU s, 55,200 parameters`."""
    lines: list[str] = []
    for name, own in letters.items():
        found = {
            cost: point
            for cost, points in material.costs.items()
            for point in points
            if point.name == name
        }
        if not found:
            continue
        figure_text = f"{material.first} {next(iter(found.values())).figure:.4f}"
        paid = [f"{write_cost(point.cost, cost)} {UNITS[cost]}" for cost, point in found.items()]
        lines.append(f"<b>{own}</b>: {plain(', '.join([name, figure_text, *paid]))}")
    return lines


def write_cost(value: float, cost: str) -> str:
    return f"{value:,.0f}" if cost == "parameters" or value >= 100 else f"{value:.3g}"


def letter(place: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    turn, place = divmod(place, len(LETTERS))
    return LETTERS[place] + (str(turn) if turn else "")


def padded(ends: Sequence[float]) -> tuple[float, float]:
    """A range around values, with some air."""
    known = [end for end in ends if not math.isnan(end)] or [0.0]
    air = 0.06 * (max(known) - min(known)) or 0.01
    return min(known) - air, max(known) + air
