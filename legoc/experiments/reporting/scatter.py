"""Points with letters beside them: accuracy against cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from legoc.experiments.reporting.drawing import HUES, INK, LETTER, WIDTH, values


if TYPE_CHECKING:
    import altair

# Pixels: of the picture, and between points that share a label.
HEIGHT, NEAR = 190, 10


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
    level: float | None, form: str,
) -> "altair.LayerChart":  # fmt: skip
    """Points with letters beside them, the chosen ones filled and joined by steps. titles: of both
    axes; level: a line across; form: of the numbers below, as d3 writes it."""
    import altair as alt

    log = all(place.x > 0 for place in places)
    least, most = min(place.x for place in places), max(place.x for place in places)
    spread = (least / 1.6, most * 1.6) if log else (0.0, (most or 1.0) * 1.1)
    scale = alt.Scale(domain=list(spread), type="log" if log else "linear", nice=False)
    axis = alt.Axis(tickCount=4, format=form, grid=False)
    x = alt.X("x:Q", scale=scale, axis=axis, title=titles[0])
    y = alt.Y("y:Q", scale=alt.Scale(domain=list(domain), nice=False), title=None,
              axis=alt.Axis(tickCount=5))  # fmt: skip
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
    for place in places:
        row = {"x": place.x, "y": place.y, "low": place.low, "high": place.high}
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
    for label in spread_labels(places, pixels(places, spread, domain, log)):
        chart = alt.Chart(values([{"x": label.at.x, "y": label.at.y}]))
        text = chart.mark_text(fontWeight="bold", dx=label.right, dy=label.down)
        layers.append(text.encode(x=x, y=y, text=alt.value(label.text)))
    return alt.layer(*layers).properties(width=WIDTH - 40, height=HEIGHT, title=titles[1])


def pixels(
    places: Sequence[Place], across: tuple[float, float], up: tuple[float, float], log: bool
) -> list[tuple[float, float]]:
    """Where points lie in the picture."""
    scale = math.log if log else float
    low, high = scale(across[0]), scale(across[1])
    return [
        (
            (scale(place.x) - low) / (high - low) * (WIDTH - 40),
            HEIGHT * (up[1] - place.y) / (up[1] - up[0]),
        )
        for place in places
    ]


@dataclass(frozen=True, kw_only=True)
class Label:
    """Letters of points that lie together, and how far from the first of them they stand."""

    at: Place
    text: str
    right: float
    down: float


def spread_labels(places: Sequence[Place], pixels: Sequence[tuple[float, float]]) -> list[Label]:
    """Letters beside their points, on no point and on no other letter where there is room. Points
    nearer than NEAR share a label."""
    together: list[list[int]] = []
    for place, (x, y) in enumerate(pixels):
        for group in together:
            a, b = pixels[group[0]]
            if math.hypot(x - a, y - b) < NEAR:
                group.append(place)
                break
        else:
            together.append([place])
    taken = [(x, y, NEAR / 2) for x, y in pixels]
    found: list[Label] = []
    for group in together:
        text = " ".join(sorted((places[each].letter for each in group), key=by_turn))
        half = len(text) * LETTER * 0.6
        x, y = pixels[group[0]]
        sides = [(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)]
        choices = [
            (right * (half + 8) * far, down * 13 * far)
            for far in (1.0, 1.5)
            for right, down in sides
        ]
        free = [
            (right, down)
            for right, down in choices
            if half < x + right < WIDTH - 40 - half
            and all(
                abs(x + right - a) > half + room or abs(y + down - b) > 12 for a, b, room in taken
            )
        ]
        right, down = free[0] if free else choices[0]
        taken.append((x + right, y + down, half))
        found.append(Label(at=places[group[0]], text=text, right=right, down=down))
    return found


def by_turn(letter: str) -> tuple[int, str]:
    return len(letter), letter
