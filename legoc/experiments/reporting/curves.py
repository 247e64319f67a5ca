"""How trainings went, epoch by epoch, from their logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.evaluation.compute import metric_name
from legoc.experiments.systems import System, seed_of


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """loss: the mean over the rows trained on; figure: of the validation part, None where it was
    not measured."""

    number: int
    loss: float
    figure: float | None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One training. metric: what chose the best epoch."""

    seed: int
    metric: str
    epochs: tuple[Epoch, ...]
    best: int | None


@dataclass(frozen=True, kw_only=True)
class Course:
    """The trainings of a system, by seed."""

    name: str
    curves: tuple[Curve, ...]


def find_courses(systems: Sequence[System]) -> list[Course]:
    """Of the systems that were trained; a run whose log is gone is left out."""
    made: list[Course] = []
    for system in systems:
        curves = [
            read_curve(result.run.log, metric_name(result.spec.train.monitor), seed_of(result))
            for result in system.results
            if result.spec.train is not None
        ]
        curves = [curve for curve in curves if curve.epochs]
        if curves:
            made.append(Course(name=system.name, curves=tuple(curves)))
    return made


def read_curve(log: Sequence[Mapping[str, Any]], metric: str, seed: int) -> Curve:
    """The evaluations of a log; the best epoch is the last that was better than all before it."""
    entries = [entry for entry in log if entry["event"] == "evaluation"]
    best = [entry["epoch"] for entry in entries if entry["best"]]
    return Curve(
        seed=seed, metric=metric, best=best[-1] if best else None,
        epochs=tuple(
            Epoch(
                number=entry["epoch"], loss=entry["loss"],
                figure=(entry["metrics"] or {}).get(metric),
            )
            for entry in entries
        ),
    )  # fmt: skip
