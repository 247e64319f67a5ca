"""The sections of the page behind the figures: trainings, probabilities, data, specs, contract."""

from collections.abc import Iterator
from datetime import UTC, datetime

from legoc.evaluation.contract import phrase
from legoc.experiments.folders import last_written
from legoc.experiments.reporting.charts import curves, reliability
from legoc.experiments.reporting.curves import Course
from legoc.experiments.reporting.data_read import DataRead, counts
from legoc.experiments.reporting.drawing import draw
from legoc.experiments.reporting.markup import (
    figure,
    figures,
    folded,
    items,
    paragraph,
    plain,
    said,
    section,
    table,
)
from legoc.experiments.reporting.material import Material
from legoc.experiments.reporting.pictures import padded
from legoc.experiments.reporting.reliability import Reliability
from legoc.experiments.systems import System
from legoc.language.ir.difference import changes, write


def write_courses(material: Material) -> str:
    """How each system learned, all on the same scales."""
    epochs = [
        epoch for course in material.courses for curve in course.curves for epoch in curve.epochs
    ]
    if not epochs:
        return ""
    measured = [epoch.figure for epoch in epochs if epoch.figure is not None]
    metrics = {curve.metric for course in material.courses for curve in course.curves}
    # Values of several metrics have no scale in common.
    shared = padded(measured) if measured and len(metrics) == 1 else None
    losses = padded([epoch.loss for epoch in epochs])
    drawn = [draw_course(course, shared, losses, n) for n, course in enumerate(material.courses)]
    key = "A diamond is the epoch whose weights were kept; a line is a training."
    return section("training", "How they learned", paragraph(key, "dim"), figures(drawn))


def draw_course(
    course: Course, shared: tuple[float, float] | None, losses: tuple[float, float], number: int
) -> str:
    measured = [e.figure for c in course.curves for e in c.epochs if e.figure is not None]
    scale = (shared or padded(measured)) if measured else None
    told = "; ".join(
        f"seed {curve.seed}: best epoch {curve.best} of {curve.epochs[-1].number}, training loss "
        f"{curve.epochs[0].loss:.4f} to {curve.epochs[-1].loss:.4f}"
        for curve in course.curves
    )
    svg = draw(curves(course, scale, losses), f"course{number}", f"Training of {course.name}", told)
    return figure(svg, f"<b>{plain(course.name)}</b>")


def write_reliability(material: Material) -> str:
    """Predicted against clicked, of the systems whose scores are probabilities."""
    drawn = [
        draw_reliability(each, n)
        for n, each in enumerate(material.reliability)
        if each.doubt is None and each.bins
    ]
    doubts: dict[str, list[str]] = {}
    for each in material.reliability:
        if each.doubt is not None:
            doubts.setdefault(each.doubt, []).append(each.name)
    lines = [said(f"{', '.join(names)}: {why}") for why, names in doubts.items()]
    key = (
        paragraph(
            "On the dashed line what was predicted happens. Each point: a tenth of the rows of all "
            "seeds, from those with the lowest predictions to those with the highest.",
            "dim",
        )
        if drawn
        else ""
    )
    return section(
        "reliability", "Whether probabilities hold", key, figures(drawn) if drawn else "",
        paragraph("Not shown:") + items(lines)
        if lines
        else "",
    )  # fmt: skip


def draw_reliability(each: Reliability, number: int) -> str:
    told = "; ".join(
        f"predicted {b.predicted:.3f}, clicked {b.clicked:.3f}, {b.rows:,} rows" for b in each.bins
    )
    svg = draw(reliability(each.bins), f"reliability{number}", f"Reliability of {each.name}", told)
    return figure(svg, f"<b>{plain(each.name)}</b>")


def write_data(material: Material) -> str:
    """What was read, and what became of rows that were not right."""
    return section("data", "The data", *(part for data in material.data for part in told(data)))


def told(data: DataRead) -> Iterator[str]:
    yield f"<h3>{plain(data.source)}</h3>"
    of = f", read by {', '.join(data.systems)}"
    yield paragraph(plain(f"Split {data.split}; digest {data.digest}{of}."), "dim break")
    report = data.report
    if report is None:
        yield paragraph(f"What was read and dropped is not told: {said(data.why)}.")
        return
    yield paragraph(
        f"{report.items:,} items, {report.users:,} users, {report.histories:,} histories "
        f"({report.empty_histories:,} empty)."
    )
    if data.warnings:
        yield items([f"<b>Warning:</b> {said(text)}" for text in data.warnings], "warnings")
    titles, *rows = counts(report)
    yield table("Splits", [plain(title) for title in titles], [map_plain(row) for row in rows])
    if report.drops:
        yield table(
            "What is not as it should be", ["what", "where", "what became of it", "how many"],
            [map_plain((d.reason, d.part, d.policy, f"{d.count:,}")) for d in report.drops],
            words=3,
        )  # fmt: skip
    else:
        yield paragraph("Nothing was dropped.")
    if report.coverage:
        filled = ", ".join(f"{name} {share:.1%}" for name, share in report.coverage.items())
        yield paragraph(plain(f"Items with a value: {filled}."))
    notes = [*report.notes, *([f"licence: {report.licence}"] if report.licence else [])]
    if notes:
        yield items([said(note) for note in notes])


def map_plain(texts: tuple[str, ...]) -> list[str]:
    return [plain(text) for text in texts]


def write_specs(material: Material) -> str:
    """The exact spec behind every row, folded."""
    return section(
        "specs", "What stands behind each row",
        paragraph(
            "Unfold a row for its spec, every default written out. `legoc` reads it as it stands; "
            "absolute paths are cut to their last part.".replace("`legoc`", "<code>legoc</code>"),
            "dim",
        ),
        *(write_system(system) for system in material.systems),
    )  # fmt: skip


def write_system(system: System) -> str:
    first = system.results[0].spec
    runs: list[str] = []
    for result in system.results:
        found = changes(first, result.spec)
        differs = ", ".join(f"{c.path} {write(c.after)}" for c in found)
        when = datetime.fromtimestamp(last_written(result.run.folder), UTC)
        runs.append(
            f"<code>{plain(result.run.folder.resolve().name)}</code>, measured "
            f"{when:%Y-%m-%d %H:%M} UTC, spec {result.spec.keys.spec[:12]}"
            + (f"; differs in {plain(differs)}" if differs else "")
        )
    path = system.results[0].run.folder / "model.lego"
    text = path.read_text("utf-8") if path.is_file() else (first.source_text or "")
    many = f", {len(runs)} runs" if len(runs) > 1 else ""
    body = items(runs, "break") + f"<pre>{plain(text)}</pre>"
    return folded(f"{plain(system.name)}{many}", body)


def write_colophon(material: Material) -> str:
    """The contract of the measurement: what has to be equal before figures are compared."""
    about = material.systems[0].results[0].about
    contract = material.contract
    engines = {result.about["engine"] for system in material.systems for result in system.results}
    lines = {
        **{name: phrase(value) for name, value in contract.items()},
        "contract digest": about["contract digest"],
        "digest of the rows": about["rows"],
        "measured by": ", ".join(sorted(engines)),
    }
    terms = "".join(f"<dt>{plain(name)}</dt><dd>{plain(text)}</dd>" for name, text in lines.items())
    return section(
        "contract", "How it was measured",
        paragraph(
            "All rows of this page rest on the same contract and the same rows of data; runs under "
            "another are refused."
        ),
        f'<dl class="break">{terms}</dl>',
    )  # fmt: skip
