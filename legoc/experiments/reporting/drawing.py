"""Charts as SVG that stands in a page: drawn when the page is written, in colours of the page.

A page of static pictures needs no script, prints as it is seen, and is a twentieth of the size of
one that carries Vega, Vega-Lite and vega-embed to draw the same in the browser; there would be
nothing to turn or filter in these pictures that the tables beside them do not say.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    import altair

# Inner width of a chart in pixels: with its axis it fits a telephone without being made smaller.
WIDTH = 316
FONT = "Arial, Helvetica, sans-serif"
INK = "currentColor"
GRID = "var(--grid)"
# Colours of Okabe and Ito, which the page sets for light, dark and paper.
HUES = ("var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 1, 1, 1, 1, 1))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
# Letters of FONT in 11 pixels, on average, by pixel.
LETTER = 5.9

AXIS = {
    "labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": GRID,
    "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "titlePadding": 6,
    "labelOverlap": "greedy", "labelFlush": False,
}  # fmt: skip
LEGEND = {
    "labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11,
    "titleFontWeight": "normal", "orient": "bottom", "symbolStrokeColor": INK,
}  # fmt: skip
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    # The picture has one title and one description of its own.
    "aria": False,
    "axis": AXIS,
    "legend": LEGEND,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": 11},
    "title": {"color": INK, "fontSize": 11, "fontWeight": "normal", "anchor": "start"},
    "concat": {"spacing": 14},
    "padding": 3,
}

ROOT = re.compile(r"<svg [^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\" viewBox=\"([^\"]*)\">")
# Attributes that say where something is; what texts say stays as it is.
PLACES = re.compile(r"(?<= )(?:d|x2|y2|transform)=\"[^\"]*\"")
NUMBER = re.compile(r"-?\d+\.\d{3,}")


def draw(chart: "altair.TopLevelMixin", name: str, title: str, told: str) -> str:
    """The SVG of a chart, as an element of a page. name: unique in the page; title, told: what a
    reader hears who does not see it."""
    import vl_convert

    written = chart.to_dict()  # type: ignore[attr-defined]
    written["config"] = dict(CONFIG)
    svg = vl_convert.vegalite_to_svg(written)
    found = ROOT.match(svg)
    assert found is not None
    width, height, box = found.groups()
    head = (
        f'<svg viewBox="{box}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{name}-title {name}-told">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-told">{escape(told)}</desc>'
    )
    body = svg[found.end() :].replace(f' font-family="{FONT}"', "")
    return head + PLACES.sub(lambda found: NUMBER.sub(rounded, found[0]), body)


def rounded(digits: re.Match[str]) -> str:
    return f"{float(digits[0]):.2f}"


def values(rows: Sequence[dict[str, Any]]) -> "altair.InlineData":
    import altair as alt

    return alt.InlineData(values=list(rows))
