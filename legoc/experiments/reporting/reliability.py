"""Whether probabilities hold: what models predicted against what was clicked.

Letters: R rows, K bins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legoc.evaluation.kept import places
from legoc.evaluation.metric import F32
from legoc.evaluation.row_metrics import probabilities
from legoc.experiments.systems import System
from legoc.language.ir.scores import find_doubt


BINS = 10


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Rows whose probabilities lie close together. predicted: their mean; clicked: the share of
    clicks among them."""

    predicted: float
    clicked: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """The rows of all seeds of a system, in bins of as many rows each. doubt: why there is nothing
    to show."""

    name: str
    bins: tuple[Bin, ...] = ()
    doubt: str | None = None


def find_reliability(systems: Sequence[System], part: str) -> list[Reliability]:
    """Of every system whose scores are probabilities; of the others, why they are none."""
    return [measure(system, part) for system in systems]


def measure(system: System, part: str) -> Reliability:
    import pyarrow as pa
    import pyarrow.parquet as pq

    doubt = find_doubt(system.results[0].spec)
    if doubt is not None:
        return Reliability(name=system.name, doubt=doubt)
    scores: list[F32] = []
    labels: list[F32] = []
    for result in system.results:
        path = places(result.run.folder, part).scores
        again = f"`legoc eval {result.run.folder.name} --scores` writes them"
        if not path.is_file():
            return Reliability(name=system.name, doubt=f"the scores are gone; {again}")
        try:
            read = pq.read_table(path, columns=["label", "score"])
        except (pa.ArrowInvalid, OSError):
            return Reliability(name=system.name, doubt=f"the scores cannot be read; {again}")
        scores.append(read["score"].to_numpy())
        labels.append(read["label"].to_numpy())
    bins = bin_rows(np.concatenate(scores), np.concatenate(labels))
    return Reliability(name=system.name, bins=bins)


def bin_rows(scores: F32, labels: F32, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins that part logits [R] at their quantiles, with the share of clicks among labels [R]; rows
    without a label are left out. Equal scores stay together, so there may be fewer bins."""
    labelled = ~np.isnan(labels)
    positive = labels[labelled] > 0.5
    probability = probabilities(scores[labelled])
    if not len(probability):
        return ()
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(probability, inner, method="lower"))
    place = np.searchsorted(edges, probability, side="right")
    rows = np.bincount(place, minlength=bins)
    predicted = np.bincount(place, probability, minlength=bins)
    clicked = np.bincount(place, positive, minlength=bins)
    return tuple(
        Bin(
            predicted=float(predicted[k] / rows[k]), clicked=float(clicked[k] / rows[k]),
            rows=int(rows[k]),
        )
        for k in np.flatnonzero(rows)
    )  # fmt: skip
