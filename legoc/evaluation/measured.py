"""A metric of one system by clusters, and how far its mean may lie from the truth.

A *system* is one model with one recipe, trained once or with several seeds. A figure is a ratio of
sums over clusters (users, or groups that stand alone), so each cluster has a *pull* on it: how much
the figure owes to the cluster, to first order; pulls sum to 0. Letters: C clusters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from legoc.evaluation.resampling import F64


Over: TypeAlias = Literal["groups", "rows"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric of one system, the mean over its seeds. figures: one per seed; pull, share [C]:
    of the clusters, shares sum to 1; scatter: what the variance over seeds would be if they
    differed by chance within the clusters alone, 0 for a single seed. over: what the figure is the
    mean of."""

    better: Literal["higher", "lower"]
    over: Over = "groups"
    figures: tuple[float, ...]
    pull: F64
    share: F64
    scatter: float = 0.0

    @property
    def figure(self) -> float:
        return float(np.mean(self.figures))

    @property
    def deviation(self) -> float | None:
        """The standard deviation over seeds; None where there is one."""
        return float(np.std(self.figures, ddof=1)) if len(self.figures) > 1 else None

    @property
    def clusters(self) -> int:
        """Those that the figure rests on."""
        return int(np.count_nonzero(self.share))


def combine(
    sums: Sequence[tuple[F64, F64]], better: Literal["higher", "lower"], over: Over = "groups"
) -> Measured:
    """A metric from the numerators and denominators [C] of each seed."""
    figures: list[float] = []
    pull, squares, share = (np.zeros(len(sums[0][0])) for _ in range(3))
    count = len(sums)
    for numerator, denominator in sums:
        whole = denominator.sum()
        figure = float(numerator.sum() / whole) if whole else math.nan
        figures.append(figure)
        own = (numerator - figure * denominator) / whole if whole else np.full(len(pull), math.nan)
        pull += own / count
        squares += own**2
        share += denominator / whole / count if whole else 0
    scatter = 0.0
    if count > 1:
        left = float((squares - count * pull**2).sum()) / (count - 1)
        scatter = max(left, 0.0) * freed(int(np.count_nonzero(share)))
    return Measured(
        better=better, over=over, figures=tuple(figures), pull=pull, share=share, scatter=scatter
    )


def freed(clusters: int) -> float:
    """What a sum of squared pulls is multiplied with to be an unbiased variance."""
    return clusters / (clusters - 1) if clusters > 1 else math.nan


def variance_of(pull: F64, clusters: int) -> float:
    """The variance of a figure over other clusters."""
    return float((pull**2).sum()) * freed(clusters)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The variance of a mean (or of a difference of two) over other clusters and other seeds.

    With clusters C and seeds crossed it is, by analysis of variance, V = clusters + seeds - within:
    of the resampled clusters, of the means over seeds, less what both contain. Its degrees of
    freedom follow from those of the parts (Satterthwaite). Without seeds V is that of the clusters.
    """

    clusters: float
    seeds: float
    within: float
    freedom: float

    @property
    def whole(self) -> float:
        """An estimate that subtracts can come out too small: not below any part by itself."""
        found = self.clusters + self.seeds - self.within
        return max(found, self.seeds, self.clusters - self.within)


def measure_spread(systems: Sequence[Measured], pull: F64, clusters: int) -> Spread:
    """Of a mean or a difference whose clusters pull with `pull` [C]."""
    own = variance_of(pull, clusters)
    seeds = within = 0.0
    parts = own**2 / (clusters - 1)
    for one in systems:
        count = len(one.figures)
        if one.deviation is None:
            continue
        between, inside = one.deviation**2 / count, one.scatter / count
        seeds += between
        within += inside
        parts += between**2 / (count - 1) + inside**2 / ((count - 1) * (clusters - 1))
    found = Spread(clusters=own, seeds=seeds, within=within, freedom=0)
    freedom = found.whole**2 / parts if parts else math.inf
    return replace(found, freedom=max(freedom, 1.0))
