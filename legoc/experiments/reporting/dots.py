"""A chart with a line per figure, its name above it: differences, and parts of the rows."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from legoc.experiments.reporting.drawing import HUES, INK, LETTER, WIDTH, values


if TYPE_CHECKING:
    import altair

# Pixels: of a line of text, from its last line to the mark below it, and around a mark.
LINE, GAP, ROW = 14, 9, 20


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
            "name": "\n".join(lines), "base": top + LINE - 3, "y": base + GAP,
            "value": mark.value, "low": mark.low, "high": mark.high,
        })  # fmt: skip
        top = base + GAP + ROW
    scale = alt.Scale(domain=list(domain), nice=False)
    x = alt.X("value:Q", title=title, scale=scale,
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
                    x=alt.X("low:Q", title=title, scale=scale), x2="high:Q", y=y
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
            chart.mark_text(
                align="left", baseline="alphabetic", lineHeight=LINE, lineBreak="\n"
            ).encode(x=alt.value(0), y=place, text=alt.value(row["name"]))
        )
        layers.append(
            chart.mark_text(align="right", baseline="alphabetic").encode(
                x=alt.value(WIDTH), y=place, text=alt.value(mark.text)
            )
        )
    return alt.layer(*layers).properties(width=WIDTH, height=max(top - ROW / 3, 1))
