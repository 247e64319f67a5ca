"""What the pictures of differences and of parts of the rows show, as plain rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from legoc.evaluation.baselines import GROUPS
from legoc.experiments.contrast import Contrast
from legoc.experiments.free import Free, Reported, read_reports
from legoc.experiments.systems import System
from legoc.experiments.table import Table


# Parts of the rows as a reader knows them.
PARTS = {"all": "all rows", "known": "known items", "new": "new items"}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A system less the best one on a metric, with its 95 % interval."""

    name: str
    difference: float
    low: float
    high: float
    real: bool


@dataclass(frozen=True, kw_only=True)
class Forest:
    """The differences of one metric from the system with the best figure."""

    metric: str
    best: str
    figure: float
    rows: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A figure on a part of the rows. deviation: over seeds, where there are several; free: of a
    counted model."""

    name: str
    figure: float
    deviation: float | None
    free: bool


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of the rows. groups: what a grouped metric is averaged over there."""

    name: str
    groups: int | None
    dots: tuple[Dot, ...]

    @property
    def few(self) -> bool:
        """Whether it tells two systems apart badly."""
        return self.groups is not None and self.groups < GROUPS


def find_forests(table: Table, contrasts: Sequence[Contrast]) -> list[Forest]:
    """For each metric that was compared, the other systems less the best one, best first."""
    made: list[Forest] = []
    for metric in dict.fromkeys(each.metric for each in contrasts):
        own = [each for each in contrasts if each.metric == metric]
        figures = {
            row.name: row.cells[metric].figure
            for row in table.rows
            if metric in row.cells and not math.isnan(row.cells[metric].figure)
        }
        if len(figures) < 2:
            continue
        choose = max if table.better[metric] == "higher" else min
        best = choose(figures, key=lambda name: figures[name])
        rows = [less(each, best) for each in own if best in (each.one, each.other)]
        rows = [row for row in rows if not math.isnan(row.difference)]
        rows.sort(key=lambda row: row.difference, reverse=table.better[metric] == "higher")
        made.append(Forest(metric=metric, best=best, figure=figures[best], rows=tuple(rows)))
    return made


def less(contrast: Contrast, best: str) -> Difference:
    """A comparison as the other system less the best."""
    if contrast.other == best:
        name, sign = contrast.one, 1
    else:
        name, sign = contrast.other, -1
    ends = sorted((sign * contrast.low, sign * contrast.high))
    return Difference(
        name=name, difference=sign * contrast.difference, low=ends[0], high=ends[1],
        real=contrast.real,
    )  # fmt: skip


def find_slices(
    systems: Sequence[System], part: str, metric: str, free: Sequence[Free], better: str
) -> list[Slice]:
    """The metric over all rows and on each part of them that training measured, with the best free
    baseline of each; nothing where metrics.json has no parts."""
    reports = [(system.name, read_reports(system, part)) for system in systems]
    reports = [(name, found) for name, found in reports if found]
    names = dict.fromkeys(where for _, found in reports for where in found[0]["slices"])
    if not names:
        return []
    made: list[Slice] = []
    for where in ("all", *names):
        dots = [
            Dot(
                name=name, figure=fmean(values),
                deviation=stdev(values) if len(values) > 1 else None, free=False,
            )
            for name, found in reports
            if (values := list(figures_at(found, where, metric)))
        ]  # fmt: skip
        counted = [(each.figure(where, metric), each.name) for each in free]
        counted = [pair for pair in counted if not math.isnan(pair[0])]
        if counted:
            figure, name = max(counted) if better == "higher" else min(counted)
            dots.append(Dot(name=name, figure=figure, deviation=None, free=True))
        groups = next((found[0].get("groups", {}).get(where) for _, found in reports), None)
        if dots:
            made.append(Slice(name=PARTS.get(where, where), groups=groups, dots=tuple(dots)))
    return made


def figures_at(reports: Sequence[Reported], where: str, metric: str) -> Iterator[float]:
    """A metric on a part of the rows, of each seed that has it."""
    for report in reports:
        part = report["metrics"] if where == "all" else report["slices"].get(where, {})
        if part.get(metric) is not None:
            yield part[metric]
