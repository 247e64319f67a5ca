"""All that a page tells, gathered before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.experiments.contrast import Contrast, contrast, every_pair
from legoc.experiments.doubted import put_doubts
from legoc.experiments.free import (
    Free,
    Standing,
    find_free,
    find_standings,
)
from legoc.experiments.reporting.curves import Course, find_courses
from legoc.experiments.reporting.data_read import DataRead, find_data
from legoc.experiments.reporting.frames import Forest, Slice, find_forests, find_slices
from legoc.experiments.reporting.reliability import Reliability, find_reliability
from legoc.experiments.reporting.trade import Point, find_points
from legoc.experiments.systems import System
from legoc.experiments.table import Table, tabulate
from legoc.progress import SILENT, Progress


@dataclass(frozen=True, kw_only=True)
class Material:
    """costs: the points of accuracy against each cost that is known; they and the slices are of the
    first metric."""

    systems: tuple[System, ...]
    table: Table
    contrasts: tuple[Contrast, ...]
    compared: bool
    free: tuple[Free, ...]
    standings: tuple[Standing, ...]
    forests: tuple[Forest, ...]
    slices: tuple[Slice, ...]
    costs: Mapping[str, tuple[Point, ...]]
    courses: tuple[Course, ...]
    reliability: tuple[Reliability, ...]
    data: tuple[DataRead, ...]

    @property
    def contract(self) -> Mapping[str, Any]:
        return self.systems[0].results[0].about["contract"]

    @property
    def first(self) -> str:
        """The metric that pictures of one metric show."""
        return self.table.metrics[0]


def gather_material(
    systems: Sequence[System],
    metrics: Sequence[str],
    *,
    baselines: bool = True,
    cache: str | Path | None = None,
    progress: Progress = SILENT,
) -> Material:
    """Read, compare and count what the page of some systems tells of some metrics. baselines:
    whether free baselines stand beside them. cache: where prepared data are."""
    progress.say("comparing")
    table = put_doubts(tabulate(systems, metrics), systems)
    common = [metric for metric in metrics if all(metric in each.metrics for each in systems)]
    compared = len(systems) > 1 and bool(common)
    contrasts = contrast(systems, every_pair(systems, common)) if compared else []
    part = table.part
    free = find_free(systems, part) if baselines else []
    first = table.metrics[0]
    costs = {name: tuple(find_points(table, first, name)) for name in ("cpu", "parameters")}
    progress.say("reading data")
    return Material(
        systems=tuple(systems), table=table, contrasts=tuple(contrasts), compared=compared,
        free=tuple(free),
        standings=tuple(find_standings(systems, part)) if baselines else (),
        forests=tuple(find_forests(table, contrasts)),
        slices=tuple(find_slices(systems, part, first, free, table.better[first])),
        costs={name: points for name, points in costs.items() if points},
        courses=tuple(find_courses(systems)),
        reliability=tuple(find_reliability(systems, part)),
        data=tuple(find_data(systems, cache, progress)),
    )  # fmt: skip
