"""The pictures of the page. What tells things apart is shape, dash and fill; colour only helps."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from legoc.experiments.reporting.curves import Course
from legoc.experiments.reporting.drawing import DASHES, HUES, INK, LETTER, WIDTH
from legoc.experiments.reporting.reliability import Bin


if TYPE_CHECKING:
    import altair

# Pixels: of a line of text, from its last line to the mark below it, and around a mark.
LINE, GAP, ROW = 14, 9, 20
BODY = 110


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line of a chart of dots: a name, a figure as text, and where the figure lies."""

    name: str
    text: str
    value: float
    low: float
    high: float
    shape: str = "circle"
    filled: bool = True
    hue: str = HUES[0]


def dots(
    marks: Sequence[Mark], title: str, domain: tuple[float, float], zero: bool
) -> "altair.LayerChart":
    """A line per mark, its name above it, so that long names are whole on a narrow screen. zero:
    whether a line stands there."""
    import altair as alt

    rows: list[dict[str, Any]] = []
    top = 0.0
    for mark in marks:
        lines = textwrap.wrap(mark.name, int((WIDTH - 54) / LETTER)) or [""]
        base = top + LINE * len(lines)
        rows.append({
            "name": lines, "text": mark.text, "top": top + LINE - 3, "base": top + LINE - 3,
            "y": base + GAP, "value": mark.value, "low": mark.low, "high": mark.high,
        })  # fmt: skip
        top = base + GAP + ROW
    x = alt.X("value:Q", title=title, scale=alt.Scale(domain=list(domain), nice=False),
              axis=alt.Axis(tickCount=5))  # fmt: skip
    y = alt.Y("y:Q", scale=None, axis=None)
    layers: list[Any] = []
    if zero:
        layers.append(
            alt.Chart(values([{"value": 0}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(x=x)
        )
    for mark, row in zip(marks, rows, strict=True):
        chart = alt.Chart(values([row]))
        if mark.low < mark.high:
            layers.append(
                chart.mark_rule(color=mark.hue, strokeWidth=2).encode(
                    x=alt.X("low:Q", title=title), x2="high:Q", y=y
                )
            )
        layers.append(
            chart.mark_point(
                shape=mark.shape, size=70, strokeWidth=2, opacity=1, color=mark.hue,
                fill=mark.hue if mark.filled else "var(--paper)",
            ).encode(x=x, y=y)
        )  # fmt: skip
        place = alt.Y("base:Q", scale=None, axis=None)
        layers.append(
            chart.mark_text(align="left", baseline="alphabetic", lineHeight=LINE).encode(
                x=alt.value(0), y=place, text="name:N"
            )
        )
        layers.append(
            chart.mark_text(align="right", baseline="alphabetic").encode(
                x=alt.value(WIDTH), y=place, text="text:N"
            )
        )
    return alt.layer(*layers).properties(width=WIDTH, height=max(top - ROW / 3, 1))


def curves(
    course: Course, figures: tuple[float, float] | None, losses: tuple[float, float]
) -> "altair.VConcatChart":
    """The validation metric above the training loss, a dash per seed, the best epoch as a point."""
    import altair as alt

    rows = [
        {"seed": str(curve.seed), "epoch": epoch.number, "loss": epoch.loss,
         "figure": epoch.figure, "best": epoch.number == curve.best}
        for curve in course.curves
        for epoch in curve.epochs
    ]  # fmt: skip
    seeds = [str(curve.seed) for curve in course.curves]
    last = max(row["epoch"] for row in rows)
    dashes = [list(DASHES[place % len(DASHES)]) for place in range(len(seeds))]
    hues = [HUES[place % len(HUES)] for place in range(len(seeds))]
    legend = alt.Legend(title="seed", columns=5, symbolSize=500) if len(seeds) > 1 else None
    dash = alt.StrokeDash("seed:N", scale=alt.Scale(domain=seeds, range=dashes), legend=legend)
    hue = alt.Color("seed:N", scale=alt.Scale(domain=seeds, range=hues), legend=legend)
    epoch = alt.X(
        "epoch:Q", scale=alt.Scale(domain=[1, max(last, 2)], nice=False),
        axis=alt.Axis(title="epoch", format="d", tickMinStep=1, tickCount=8, grid=False),
    )  # fmt: skip
    panels: list[Any] = []
    wanted = [("figure", f"{course.curves[0].metric}, validation", figures),
              ("loss", "loss, training", losses)]  # fmt: skip
    for name, title, domain in wanted:
        if domain is None:
            continue
        y = alt.Y(f"{name}:Q", scale=alt.Scale(domain=list(domain), nice=True, zero=False),
                  axis=alt.Axis(title=None, tickCount=4))  # fmt: skip
        drawn = [row for row in rows if row[name] is not None]
        base = alt.Chart(values(drawn)).encode(x=epoch, y=y, color=hue)
        best = alt.Chart(values([row for row in drawn if row["best"]]))
        layers = [
            base.mark_line(strokeWidth=2).encode(strokeDash=dash),
            best.mark_point(filled=True, size=70, shape="diamond", opacity=1).encode(
                x=epoch, y=y, color=hue
            ),
        ]
        if last == 1:
            layers.append(base.mark_point(filled=False, size=50, opacity=1))
        panels.append(alt.layer(*layers).properties(width=WIDTH - 34, height=BODY, title=title))
    return alt.vconcat(*panels)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point of a scatter: a letter, where it is, and whether it is marked."""

    letter: str
    x: float
    y: float
    low: float
    high: float
    chosen: bool


def scatter(
    places: Sequence[Place], titles: tuple[str, str], domain: tuple[float, float],
    level: float | None,
) -> "altair.LayerChart":  # fmt: skip
    """Points with letters beside them, the chosen ones filled and joined by steps. level: a line
    across."""
    import altair as alt

    log = all(place.x > 0 for place in places)
    least, most = min(place.x for place in places), max(place.x for place in places)
    spread = (least / 1.6, most * 1.6) if log else (0.0, (most or 1.0) * 1.1)
    height = 190
    scale = alt.Scale(domain=list(spread), type="log" if log else "linear", nice=False)
    axis = alt.Axis(tickCount=4, format="~s", grid=False)
    x = alt.X("x:Q", scale=scale, axis=axis, title=titles[0])
    y = alt.Y("y:Q", scale=alt.Scale(domain=list(domain), nice=False), title=None,
              axis=alt.Axis(tickCount=5))  # fmt: skip
    shifts = spread_letters(places, spread, domain, log, height)
    front = [{"x": place.x, "y": place.y} for place in places if place.chosen]
    layers: list[Any] = []
    if level is not None:
        rule = alt.Chart(values([{"y": level}])).mark_rule(color=INK, strokeDash=[3, 3])
        layers.append(rule.encode(y=y))
    layers.append(
        alt.Chart(values(front))
        .mark_line(interpolate="step-after", color=INK, strokeWidth=1)
        .encode(x=x, y=y)
    )
    for place, (right, down) in zip(places, shifts, strict=True):
        row = {"x": place.x, "y": place.y, "low": place.low, "high": place.high,
               "letter": place.letter}  # fmt: skip
        chart = alt.Chart(values([row]))
        if place.low < place.high:
            rule = chart.mark_rule(color=HUES[0], strokeWidth=1.5)
            layers.append(rule.encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q"))
        layers.append(
            chart.mark_point(
                shape="diamond" if place.chosen else "circle", size=80, strokeWidth=2, opacity=1,
                color=HUES[0], fill=HUES[0] if place.chosen else "var(--paper)",
            ).encode(x=x, y=y)
        )  # fmt: skip
        text = chart.mark_text(fontWeight="bold", dx=right, dy=down)
        layers.append(text.encode(x=x, y=y, text="letter:N"))
    return alt.layer(*layers).properties(width=WIDTH - 40, height=height, title=titles[1])


def spread_letters(
    places: Sequence[Place], across: tuple[float, float], up: tuple[float, float], log: bool,
    height: float,
) -> list[tuple[float, float]]:  # fmt: skip
    """Where each letter stands beside its point, so that it meets no point and no other letter."""

    def pixel(place: Place) -> tuple[float, float]:
        scale = math.log if log else float
        low, high = scale(across[0]), scale(across[1])
        x = (scale(place.x) - low) / (high - low) * (WIDTH - 40)
        return x, height * (1 - (place.y - up[0]) / ((up[1] - up[0]) or 1))

    points = [pixel(place) for place in places]
    taken = list(points)
    found: list[tuple[float, float]] = []
    rings = [(13.0, 0.0), (-13.0, 0.0), (11.0, -11.0), (-11.0, -11.0), (11.0, 11.0), (-11.0, 11.0)]
    choices = [(right * far, down * far) for far in (1.0, 1.7, 2.4) for right, down in rings]
    for x, y in points:
        free = [
            shift
            for shift in choices
            if all(math.hypot(x + shift[0] - a, y + shift[1] - b) > 12 for a, b in taken)
        ]
        shift = free[0] if free else choices[0]
        taken.append((x + shift[0], y + shift[1]))
        found.append(shift)
    return found


def reliability(bins: Sequence[Bin]) -> "altair.VConcatChart":
    """The share of clicks over the mean probability of each bin, and how many rows it has."""
    import altair as alt

    rows = [{"predicted": b.predicted, "clicked": b.clicked, "rows": b.rows} for b in bins]
    most = min(1.0, 1.1 * max(max(b.predicted, b.clicked) for b in bins) or 1.0)
    scale = alt.Scale(domain=[0, most], nice=False)
    x = alt.X("predicted:Q", scale=scale, title="predicted probability",
              axis=alt.Axis(tickCount=5))  # fmt: skip
    y = alt.Y("clicked:Q", scale=scale, title=None, axis=alt.Axis(tickCount=5))
    line = [{"predicted": 0, "clicked": 0}, {"predicted": most, "clicked": most}]
    right = alt.Chart(values(line)).mark_line(color=INK, strokeDash=[3, 3], strokeWidth=1)
    found = alt.Chart(values(rows))
    above = alt.layer(
        right.encode(x=x, y=y),
        found.mark_line(color=HUES[0], strokeWidth=1.5).encode(x=x, y=y),
        found.mark_point(filled=True, size=60, opacity=1, color=HUES[0]).encode(x=x, y=y),
    ).properties(width=WIDTH - 40, height=190, title="share that was clicked")
    below = (
        found.mark_bar(color=HUES[0], width=8)
        .encode(
            x=alt.X("predicted:Q", scale=scale, title=None, axis=alt.Axis(labels=False)),
            y=alt.Y("rows:Q", title=None, axis=alt.Axis(tickCount=2, format="~s")),
        )
        .properties(width=WIDTH - 40, height=44, title="rows")
    )
    return alt.vconcat(above, below)


def values(rows: Sequence[dict[str, Any]]) -> "altair.InlineData":
    import altair as alt

    return alt.InlineData(values=list(rows))
