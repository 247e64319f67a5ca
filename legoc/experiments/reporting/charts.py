"""The pictures of trainings and of probabilities. What tells lines apart is their dash."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from legoc.experiments.reporting.curves import Course
from legoc.experiments.reporting.drawing import DASHES, HUES, INK, WIDTH, values
from legoc.experiments.reporting.reliability import Bin


if TYPE_CHECKING:
    import altair

BODY, SQUARE = 110, 190


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
        axis=alt.Axis(title="epoch", format="d", values=whole_ticks(last), grid=False),
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


def whole_ticks(last: int, most: int = 8) -> list[int]:
    """The epochs that an axis names: all of them, or every second, fifth, tenth ..."""
    step = next(k * 10**n for n in range(9) for k in (1, 2, 5) if last <= k * 10**n * most)
    return [epoch for epoch in range(1, last + 1) if step == 1 or epoch % step == 0]


def reliability(bins: Sequence[Bin]) -> "altair.LayerChart":
    """The share of clicks over the mean probability of bins, with a line where both are equal."""
    import altair as alt

    rows = [{"predicted": each.predicted, "clicked": each.clicked} for each in bins]
    most = min(1.0, 1.1 * max(max(each.predicted, each.clicked) for each in bins) or 1.0)
    scale = alt.Scale(domain=[0, most], nice=False)
    axis = alt.Axis(tickCount=4)
    x = alt.X("predicted:Q", scale=scale, title="predicted probability", axis=axis)
    y = alt.Y("clicked:Q", scale=scale, title=None, axis=axis)
    ends = [{"predicted": 0, "clicked": 0}, {"predicted": most, "clicked": most}]
    level = alt.Chart(values(ends)).mark_line(color=INK, strokeDash=[3, 3], strokeWidth=1)
    found = alt.Chart(values(rows))
    return alt.layer(
        level.encode(x=x, y=y),
        found.mark_line(color=HUES[0], strokeWidth=1.5).encode(x=x, y=y),
        found.mark_point(filled=True, size=60, opacity=1, color=HUES[0]).encode(x=x, y=y),
    ).properties(width=WIDTH - 40, height=SQUARE, title="share that was clicked")
