"""Whether two systems differ on a metric: intervals and tests over clusters of groups.

Intervals resample the clusters, the test changes the two systems of a random half of them, paired
in both cases. Where a system has several seeds, they are a random effect crossed with the clusters
(`measured.Spread`).

Letters: C clusters, K columns, B draws.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from legoc.evaluation.measured import Measured, freed, measure_spread, variance_of
from legoc.evaluation.resampling import F64, bootstrap, flip
from legoc.evaluation.student import quantile


DRAWS = 10_000
LEVEL = 0.95
ALPHA = 0.05
# What is resampled in one go, which bounds the memory.
COLUMNS = 32
# Fewer clusters than this say little, whatever the interval.
FEW = 30


@dataclass(frozen=True, kw_only=True)
class Interval:
    """What 95 % of resampled data and seeds would give, or another share; NaN at both ends for less
    than two clusters."""

    low: float
    high: float


UNKNOWN = Interval(low=math.nan, high=math.nan)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The difference of two systems. p: the chance of one at least as large if there were none."""

    difference: float
    interval: Interval
    p: float


def estimate(measured: Sequence[Measured], *, draws: int = DRAWS, seed: int = 0) -> list[Interval]:
    """An interval around each figure."""
    found: list[Interval] = []
    for first in range(0, len(measured), COLUMNS // 2):
        some = measured[first : first + COLUMNS // 2]
        columns = Columns()
        places = [(columns.add(one.pull), columns.add(one.share)) for one in some]
        sums = bootstrap(columns.stacked(), draws, seed)
        for place, (one, (pull, share)) in enumerate(zip(some, places, strict=True)):
            if math.isnan(one.figure) or one.clusters < 2:
                found.append(UNKNOWN)
                continue
            moved = ratio(sums[:, pull], sums[:, share]) * narrow([one], one.clusters)
            variance = variance_of(one.pull, one.clusters)
            moved = widen([one], moved, one.clusters, variance, seed + first + place)
            found.append(bounds(one.figure, moved))
    return found


def compare(
    pairs: Sequence[tuple[Measured, Measured]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> list[Compared]:
    """The first of each pair less the second. level: what the intervals cover."""
    found: list[Compared] = []
    step = COLUMNS // 4
    for first in range(0, len(pairs), step):
        some = pairs[first : first + step]
        columns, swapped = Columns(), Columns()
        places = [pair_columns(columns, *pair) for pair in some]
        swaps = [swapped.add(difference_by_cluster(*pair)) for pair in some]
        sums = bootstrap(columns.stacked(), draws, seed)
        flips = flip(swapped.stacked(), draws, seed)
        for number, (pair, terms, swap) in enumerate(zip(some, places, swaps, strict=True)):
            moved = sum(sign * ratio(sums[:, pull], sums[:, share]) for sign, pull, share in terms)
            number += seed + first
            found.append(judge(pair, np.asarray(moved), flips[:, swap], number, level))
    return found


class Columns:
    """Columns [C] side by side; one that is there already is not added again."""

    def __init__(self) -> None:
        self.known: list[F64] = []

    def add(self, column: F64) -> int:
        for place, known in enumerate(self.known):
            if known is column or np.array_equal(known, column):
                return place
        self.known.append(column)
        return len(self.known) - 1

    def stacked(self) -> F64:
        """[C, K]"""
        return np.stack(self.known, axis=1)


def pair_columns(columns: Columns, one: Measured, other: Measured) -> list[tuple[int, int, int]]:
    """Terms (sign, pull, share) whose ratios sum to what a draw adds to the difference: one term
    where both figures rest on the same shares, as those of groups do."""
    if np.array_equal(one.share, other.share):
        return [(1, columns.add(one.pull - other.pull), columns.add(one.share))]
    return [
        (sign, columns.add(each.pull), columns.add(each.share))
        for sign, each in ((1, one), (-1, other))
    ]


def difference_by_cluster(one: Measured, other: Measured) -> F64:
    """[C]: sums to the difference; a change of places in a cluster changes its sign. Exact for
    metrics of groups, to first order for the others."""
    share = (one.share + other.share) / 2
    return one.pull - other.pull + (one.figure - other.figure) * share


def ratio(pull: F64, share: F64) -> F64:
    """[B]: what each draw adds to the figure; a draw that rests on nothing adds nothing."""
    return np.divide(pull, share, out=np.zeros_like(pull), where=share > 0)


def widen(
    systems: Sequence[Measured], draws: F64, clusters: int, variance: float, seed: int
) -> F64:
    """[B]: the draws of clusters, which vary by `variance`, so that they vary as the mean does over
    other seeds as well: as a t of few degrees of freedom where there are few seeds."""
    if all(one.deviation is None for one in systems):
        return draws
    pull = systems[0].pull if len(systems) == 1 else systems[0].pull - systems[1].pull
    spread = measure_spread(systems, pull, clusters)
    more = spread.whole - spread.clusters
    rng = np.random.default_rng([seed, 2])
    # Where all clusters say the same there is nothing to scale.
    steady = draws if variance else rng.normal(0, 1, len(draws))
    scale = math.sqrt(max(variance + more, 0) / (variance or 1))
    return steady * scale * np.sqrt(spread.freedom / rng.chisquare(spread.freedom, len(draws)))


def narrow(systems: Sequence[Measured], clusters: int, level: float = LEVEL) -> float:
    """What the draws of few clusters are stretched by, which vary too little: as a t interval is
    beyond a normal one. With seeds `widen` does it."""
    if any(one.deviation is not None for one in systems):
        return 1.0
    upper = (1 + level) / 2
    return math.sqrt(freed(clusters)) * quantile(upper, clusters - 1) / NormalDist().inv_cdf(upper)


def bounds(figure: float, moved: F64, level: float = LEVEL) -> Interval:
    """Percentiles of the draws around a figure."""
    low, high = np.quantile(moved, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=figure + float(low), high=figure + float(high))


def judge(
    pair: tuple[Measured, Measured], moved: F64, flips: F64, seed: int, level: float
) -> Compared:
    """The comparison of a pair from what draws add to the difference and what flips make of it."""
    one, other = pair
    difference = one.figure - other.figure
    clusters = min(one.clusters, other.clusters)
    if math.isnan(difference) or clusters < 2:
        return Compared(difference=difference, interval=UNKNOWN, p=1.0)
    pulled = variance_of(one.pull - other.pull, clusters)
    moved = widen(pair, moved * narrow(pair, clusters, level), clusters, pulled, seed)
    flipped = float((difference_by_cluster(one, other) ** 2).sum())
    swapped = np.abs(widen(pair, flips, clusters, flipped, seed))
    # Sums that are equal in exact arithmetic differ in their last digits.
    rounding = 1e-6 * float(swapped.max(initial=0))
    larger = int((swapped >= abs(difference) - rounding).sum())
    return Compared(
        difference=difference,
        interval=bounds(difference, moved, level),
        p=(1 + larger) / (1 + len(flips)),
    )


def adjust(chances: Sequence[float]) -> list[float]:
    """Holm's correction: with these in their place, the chance of any false finding among all is
    below the level that each is held against."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    adjusted, most = [0.0] * len(chances), 0.0
    for rank, place in enumerate(order):
        most = max(most, min((len(chances) - rank) * chances[place], 1.0))
        adjusted[place] = most
    return adjusted


def draws_for(comparisons: int) -> int:
    """Enough draws that the smallest chance can stay below 5 % after Holm's correction."""
    return max(DRAWS, 50 * comparisons)
