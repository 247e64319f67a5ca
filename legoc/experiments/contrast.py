"""Every pair of systems on every metric, with one correction over all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, TypeAlias

from legoc.evaluation.comparison import ALPHA, FEW, adjust, compare, draws_for
from legoc.evaluation.measured import Over
from legoc.evaluation.report import plain
from legoc.experiments.asked_metrics import full_names, unmeasured
from legoc.experiments.systems import System
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import listing
from legoc.language.ir.spec import is_alone


# Why a figure is not defined.
UNDEFINED = {
    "groups": "no group has a click and a non-click",
    "rows": "the rows are all clicks or all non-clicks",
}
# Pairs of places among systems, by metric.
Plan: TypeAlias = Sequence[tuple[str, Sequence[tuple[int, int]]]]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two systems on one metric. low, high: the 95 % interval of the difference of `one` less
    `other`; p: of the permutation test, adjusted: by Holm over all comparisons made together."""

    metric: str
    over: Over
    better: Literal["higher", "lower"]
    one: str
    other: str
    figures: tuple[float, float]
    seeds: tuple[int, int]
    clusters: int
    low: float
    high: float
    p: float
    adjusted: float

    @property
    def difference(self) -> float:
        return self.figures[0] - self.figures[1]

    @property
    def real(self) -> bool:
        """Whether the two can be told apart."""
        return self.adjusted < ALPHA

    @property
    def winner(self) -> str | None:
        if not self.real:
            return None
        return self.one if (self.difference > 0) == (self.better == "higher") else self.other

    def verdict(self) -> str:
        """What one may say of it."""
        if math.isnan(self.difference):
            return f"not defined: {UNDEFINED[self.over]}"
        if self.winner is None:
            return f"{self.one} and {self.other} are not distinguishable"
        loser = self.other if self.winner == self.one else self.one
        return f"{self.winner} is better than {loser}"

    def to_json(self) -> dict[str, Any]:
        """In JSON's types; what is not defined is null."""
        return {
            "metric": self.metric,
            "better": self.better,
            "one": self.one,
            "other": self.other,
            "figures": [plain(figure) for figure in self.figures],
            "difference": plain(self.difference),
            "interval": [plain(self.low), plain(self.high)],
            "p": self.p,
            "adjusted": self.adjusted,
            "seeds": list(self.seeds),
            "clusters": self.clusters,
            "winner": self.winner,
            "verdict": self.verdict(),
        }


def choose_metrics(systems: Sequence[System], wanted: Sequence[str] = ()) -> list[str]:
    """The metrics asked for, else those that all systems have; E0598 for one that was not kept, or
    has no value per group."""
    common = [m for m in systems[0].metrics if all(m in each.metrics for each in systems)]
    results = [result for each in systems for result in each.results]
    known = [name for result in results for name in result.about["figures"]]
    wanted = full_names(wanted, known)
    for metric in wanted:
        lacking = next((result for result in results if metric not in result.metrics), None)
        if lacking is not None and metric in lacking.whole:
            kept = f"; compare {listing(common, joint='or')}" if common else ""
            raise fail(
                "E0598",
                f"`{metric}` is of all rows together, and has no value per group to compare",
                f"`legoc table` shows it{kept}",
            )
        if lacking is not None:
            raise unmeasured(metric, lacking, common)
    if not wanted and not common:
        raise fail(
            "E0598",
            "the runs have no metric in common that has a value per group",
            "give the recipes the same `metrics`, with the one first that each has first now, and "
            "start `legoc train` again: it measures without training again",
        )
    return list(wanted) or common


def every_pair(systems: Sequence[System], metrics: Sequence[str]) -> Plan:
    """All pairs of systems on all metrics."""
    return [(metric, list(combinations(range(len(systems)), 2))) for metric in metrics]


def contrast(systems: Sequence[System], plan: Plan, *, seed: int = 0) -> list[Contrast]:
    """The comparisons of a plan in its order, corrected over all of them."""
    draws = draws_for(sum(len(pairs) for _, pairs in plan))
    made: list[dict[str, Any]] = []
    for metric, pairs in plan:
        wanted = sorted({place for pair in pairs for place in pair})
        measured = {place: systems[place].measure(metric) for place in wanted}
        found = compare(
            [(measured[one], measured[other]) for one, other in pairs], draws=draws, seed=seed
        )
        for (one, other), result in zip(pairs, found, strict=True):
            pair = measured[one], measured[other]
            made.append({
                "metric": metric, "over": pair[0].over, "better": pair[0].better,
                "one": systems[one].name, "other": systems[other].name,
                "figures": (pair[0].figure, pair[1].figure),
                "seeds": (len(pair[0].figures), len(pair[1].figures)),
                "clusters": min(each.clusters for each in pair),
                "low": result.interval.low, "high": result.interval.high, "p": result.p,
            })  # fmt: skip
    adjusted = adjust([one["p"] for one in made])
    return [Contrast(**one, adjusted=p) for one, p in zip(made, adjusted, strict=True)]


def doubts(systems: Sequence[System], clusters: int) -> list[str]:
    """What a reader of intervals has to know, a sentence each."""
    found: list[str] = []
    if clusters < FEW:
        found.append(
            f"{clusters} users are few: the intervals are wide, and not being distinguishable says "
            "little"
        )
    single = [
        system.name
        for system in systems
        if len(system.results) == 1 and not is_alone(system.results[0].spec)
    ]
    if single:
        found.append(
            f"trained once: {', '.join(single)}; the intervals are of other users, not of other "
            "trainings: give `seed in [1, 2, 3, 4, 5]` to the recipe"
        )
    return found
