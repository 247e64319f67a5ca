"""Systems as the rows of a table: figures, what is really best, and what it cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any, Literal

from legoc.evaluation.comparison import UNKNOWN, Interval, estimate
from legoc.evaluation.measured import Measured
from legoc.experiments.contrast import UNDEFINED, Contrast, contrast, doubts
from legoc.experiments.systems import System
from legoc.training.cost import read_budget, read_cost


Mark = Literal["best", "second", ""]
# Stands behind a figure that says nothing of its model.
DOUBT = "†"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A metric of a system. deviation: over seeds, where there are several. mark: `best` where the
    system is really better than every other, `second` where it is than all but the best."""

    figure: float
    deviation: float | None
    interval: Interval
    mark: Mark = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What training a system once has cost, on average over its seeds; None where it is not known.
    cpu in seconds, memory in bytes at most. trials: of the searches that chose it, at most; None
    where none did."""

    parameters: int | None
    cpu: float | None
    memory: int | None
    trials: int | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column beside figures and costs. texts: by the name of a row, none where nothing is known.
    names: what it is called in CSV, which has `values` of it; more than one are columns of their
    own there."""

    title: str
    texts: Mapping[str, str]
    names: tuple[str, ...]
    values: Mapping[str, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A system; a metric that it was not measured with has no cell. seeds: its trainings, none of a
    counted model that was measured beside others."""

    name: str
    seeds: int
    cells: Mapping[str, Cell]
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Table:
    """Systems under one contract. better: of each metric, which values are better. groups, users:
    what figures rest on; comparisons: how many decided the marks. candidates: what was ranked.
    further: columns that were asked for; doubted: metrics whose figures say nothing of a system, by
    its name, with the reason; notes: what both mean."""

    part: str
    group: str
    groups: int
    users: int
    better: Mapping[str, Literal["higher", "lower"]]
    rows: tuple[Row, ...]
    comparisons: int
    warnings: tuple[str, ...]
    candidates: str = "shown"
    further: tuple[Column, ...] = ()
    doubted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        return list(self.better)

    def legend(self) -> list[str]:
        """What the marks and numbers mean, a sentence each."""
        said = [f"{self.part}: {self.groups:,} {self.group}s of {self.users:,} users"]
        if self.candidates == "all":
            said.append("full ranking: each that clicks against the whole catalogue")
        if any(row.seeds > 1 for row in self.rows):
            said.append("mean and standard deviation over seeds")
        if self.comparisons:
            many = "comparison" if self.comparisons == 1 else "comparisons"
            said.append(
                "best and runner-up are marked where they are really better than all behind them: "
                f"paired permutation tests over users, Holm over {self.comparisons} {many}"
            )
        if counted := [row.name for row in self.rows if not row.seeds]:
            these = ", ".join(counted)
            said.append(f"counted, not trained, and not tested against the others: {these}")
        return [*said, *self.notes]


def tabulate(systems: Sequence[System], metrics: Sequence[str]) -> Table:
    """The table of some systems, in their order."""
    measured = {
        metric: {n: each.measure(metric) for n, each in enumerate(systems) if has(each, metric)}
        for metric in metrics
    }
    plan = [(metric, decisive(found)) for metric, found in measured.items()]
    contrasts = contrast(systems, plan)
    cells: list[dict[str, Cell]] = [{} for _ in systems]
    for metric, found in measured.items():
        marks = mark(systems, found, [each for each in contrasts if each.metric == metric])
        for (place, one), interval in zip(
            found.items(), estimate(list(found.values())), strict=True
        ):
            cells[place][metric] = Cell(
                figure=one.figure, deviation=one.deviation, interval=interval,
                mark=marks.get(place, ""),
            )  # fmt: skip
    for metric in metrics:
        for each, own in zip(systems, cells, strict=True):
            if metric not in own and metric in each.results[0].whole:
                own[metric] = sum_whole(each, metric)
    first = systems[0].results[0]
    clusters = [one.clusters for found in measured.values() for one in found.values()]
    users = max(clusters, default=first.clusters[1])
    # What all rows together give has no interval to doubt.
    doubted = doubts(systems, users) if clusters else []
    contract = first.about["contract"]
    return Table(
        part=contract["part"], group=contract["group"], candidates=contract["candidates"],
        groups=first.groups, users=users,
        better={metric: figure_of(systems, metric)["better"] for metric in metrics},
        rows=tuple(
            Row(name=each.name, seeds=len(each.results), cells=own, cost=sum_up(each))
            for each, own in zip(systems, cells, strict=True)
        ),
        comparisons=len(contrasts),
        warnings=(*doubted, *undefined(systems, metrics, cells)),
    )  # fmt: skip


def sum_whole(system: System, metric: str) -> Cell:
    """A metric that only all rows together have: no clusters, hence no interval and no mark."""
    figures = [result.whole[metric] for result in system.results if metric in result.whole]
    deviation = stdev(figures) if len(figures) > 1 else None
    return Cell(figure=fmean(figures), deviation=deviation, interval=UNKNOWN)


def figure_of(systems: Sequence[System], metric: str) -> Mapping[str, Any]:
    """What the first run that has a metric says of its figure."""
    return next(
        result.about["figures"][metric]
        for system in systems
        for result in system.results
        if metric in result.about["figures"]
    )


def has(system: System, metric: str) -> bool:
    return metric in system.metrics


def all_metrics(systems: Sequence[System]) -> list[str]:
    """The metrics that any of the systems has, in the order of the first that has them."""
    return list(dict.fromkeys(m for each in systems for m in each.results[0].about["figures"]))


def ranked(found: Mapping[int, Measured]) -> list[int]:
    """The places of systems, best first; those without a figure are left out."""
    there = [place for place, one in found.items() if not math.isnan(one.figure)]
    sign = -1 if there and found[there[0]].better == "higher" else 1
    return sorted(there, key=lambda place: sign * found[place].figure)


def decisive(found: Mapping[int, Measured]) -> list[tuple[int, int]]:
    """The pairs that decide the marks: the two best against all behind them."""
    order = ranked(found)
    return [(order[at], other) for at in range(min(2, len(order))) for other in order[at + 1 :]]


def mark(
    systems: Sequence[System], found: Mapping[int, Measured], contrasts: Sequence[Contrast]
) -> dict[int, Mark]:
    """Which systems are really best and second on a metric."""
    order = ranked(found)
    made: dict[int, Mark] = {}
    for place, name in zip(order[:2], ("best", "second"), strict=False):
        own = systems[place].name
        behind = [each for each in contrasts if each.one == own]
        if not behind or any(each.winner != own for each in behind):
            break
        made[place] = name  # type: ignore[assignment]
    return made


def undefined(
    systems: Sequence[System], metrics: Sequence[str], cells: Sequence[Mapping[str, Cell]]
) -> list[str]:
    """A sentence for each metric that no system has a figure of."""
    found = {metric: [own[metric].figure for own in cells if metric in own] for metric in metrics}
    return [
        f"{metric} is not defined: {UNDEFINED[figure_of(systems, metric)['over']]}"
        for metric, figures in found.items()
        if figures and all(map(math.isnan, figures))
    ]


def sum_up(system: System) -> Cost:
    """The mean cost of a system's trainings, of a part of which it may not be known."""
    known = [read_cost(result.run.folder) for result in system.results]

    def mean(name: str) -> float | None:
        values = [cost[name] for cost in known if cost.get(name) is not None]
        return fmean(values) if values else None

    parameters, memory = mean("parameters"), mean("memory")
    return Cost(
        parameters=None if parameters is None else round(parameters),
        cpu=mean("cpu"),
        memory=None if memory is None else round(memory),
        trials=max(
            (found["trials"] for each in system.results if (found := read_budget(each.run.folder))),
            default=None,
        ),
    )
