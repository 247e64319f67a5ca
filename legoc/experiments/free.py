"""What counting alone reaches beside trained systems: figures, and who does not beat them.

The figures are those that training left in metrics.json. They have no values per group, so there is
no interval and no test of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from legoc.evaluation.baselines import find_better, label
from legoc.evaluation.comparison import UNKNOWN
from legoc.experiments.systems import System
from legoc.experiments.table import Cell, Cost, Row, Table
from legoc.language.ir.counted import is_counted_spec


Reported = Mapping[str, Any]
# Why there are no free baselines beside a system, by the candidates it was measured on.
UNMEASURED: Mapping[str, str] = {
    "shown": "free baselines were not measured with it; start `legoc train` on its file again "
    "without `--no-baselines`",
    "all": "free baselines are kept beside the ranking of the recipe alone; `legoc eval RUN "
    "--candidates all` shows them, `candidates = all` in the recipe keeps them",
}


@dataclass(frozen=True, kw_only=True)
class Free:
    """A counted model. figures: by part of the rows (`all`, then the slices) and metric."""

    name: str
    figures: Mapping[str, Mapping[str, float | None]]

    def figure(self, part: str, metric: str) -> float:
        value = self.figures.get(part, {}).get(metric)
        return math.nan if value is None else value


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A trained system against the free baselines. beats: whether it is better than all of them
    over all rows, None where they were not measured; told: where the best of them is as good;
    candidates: what was ranked."""

    system: str
    beats: bool | None
    told: tuple[str, ...]
    candidates: str = "shown"

    def sentence(self) -> str:
        if self.beats is None:
            return f"{self.system}: {UNMEASURED[self.candidates]}"
        if not self.beats:
            return f"{self.system} does not beat the free baselines: {'; '.join(self.told)}"
        but = f", but {'; '.join(self.told)}" if self.told else ""
        return f"{self.system} beats every free baseline{but}"


def read_reports(system: System, part: str) -> list[Reported]:
    """What metrics.json says of a part of the data, for each seed that has it: of the candidates
    that the figures of the system rest on."""
    made: list[Reported] = []
    for result in system.results:
        report = (result.run.metrics or {}).get(part)
        whole = result.about["contract"]["candidates"] == "all"
        if report is not None and whole == (report.get("candidates") == "all"):
            made.append(report)
    return made


def average(reports: Sequence[Reported]) -> dict[str, Any]:
    """One report, in JSON's types, whose figures are means over seeds; a figure that a seed lacks
    is null."""
    first = reports[0]

    def mean(parts: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
        values = {name: [part.get(name) for part in parts] for name in parts[0]}
        return {
            name: None if None in found else fmean(v for v in found if v is not None)
            for name, found in values.items()
        }

    return {
        **first,
        "metrics": mean([report["metrics"] for report in reports]),
        "slices": {
            name: mean([report["slices"].get(name, {}) for report in reports])
            for name in first["slices"]
        },
    }


def find_free(systems: Sequence[System], part: str) -> list[Free]:
    """The counted models that were measured beside some system, each once, but for those that are
    systems themselves. All systems rest on the same rows, so a metric has one figure."""
    specs = [system.results[0].spec for system in systems]
    own = {label(spec.model["predict"]) for spec in specs if is_counted_spec(spec)}
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for system in systems:
        for report in read_reports(system, part):
            for name, told in report.get("baselines", {}).items():
                parts = found.setdefault(name, {})
                for where, figures in {"all": told["metrics"], **told["slices"]}.items():
                    parts[where] = {**figures, **parts.get(where, {})}
    return [Free(name=name, figures=parts) for name, parts in found.items() if name not in own]


def put_below(table: Table, systems: Sequence[System]) -> Table:
    """The table with a row for each counted model, figures alone and of no training, and a warning
    of each system that does not beat them, or was not measured beside them."""
    free = find_free(systems, table.part)
    standings = find_standings(systems, table.part)
    told = [each.sentence() for each in standings if not each.beats]
    nothing = Cost(parameters=None, cpu=None, memory=None)
    rows = [
        Row(
            name=each.name, seeds=0, cost=nothing,
            cells={
                metric: Cell(figure=each.figure("all", metric), deviation=None, interval=UNKNOWN)
                for metric in table.metrics
            },
        )
        for each in free
    ]  # fmt: skip
    return replace(table, rows=(*table.rows, *rows), warnings=(*table.warnings, *told))


def find_standings(systems: Sequence[System], part: str) -> list[Standing]:
    """Of each trained system, by its means over seeds. Systems that are counted stand for
    themselves."""
    made: list[Standing] = []
    for system in systems:
        if is_counted_spec(system.results[0].spec):
            continue
        reports = [report for report in read_reports(system, part) if report.get("baselines")]
        if not reports:
            candidates = system.results[0].about["contract"]["candidates"]
            made.append(Standing(system=system.name, beats=None, told=(), candidates=candidates))
            continue
        report = average(reports)
        overall = find_better({**report, "slices": {}})
        made.append(
            Standing(system=system.name, beats=not overall, told=tuple(find_better(report)))
        )
    return made
