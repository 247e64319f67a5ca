"""What a sample has taken when systems were measured, and what reading a history once saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from legoc.experiments.free import read_reports
from legoc.experiments.systems import System
from legoc.experiments.table import Column


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Columns with what they mean."""

    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def find_latency(systems: Sequence[System], part: str) -> Latency:
    """The columns of some systems, as they were measured on a part of the data; a mean over
    seeds. No column where nothing was recorded."""
    each: dict[str, float] = {}
    saved: dict[str, float] = {}
    engines: dict[str, None] = {}
    for system in systems:
        prefix = system.results[0].spec.types.user == "Prefix"
        reports = [r for r in read_reports(system, part) if r.get("timings") and is_of_rows(r)]
        if not reports:
            continue
        each[system.name] = fmean(sample_seconds(r) for r in reports)
        shares = [s for r in reports if (s := saved_share(r, prefix=prefix)) is not None]
        if shares:
            saved[system.name] = fmean(shares)
        engines |= dict.fromkeys(str(r["engine"]) for r in reports)
    if not each:
        return Latency(columns=(), notes=())
    columns = [column("ms per sample", "ms_per_sample", each, lambda s: f"{1000 * s:.3g}", 1000)]
    notes = [
        "ms per sample: wall clock of the evaluation over its rows, items and histories included, "
        f"by {' and '.join(engines)} on the machine that measured it"
    ]
    if saved:
        title = "saved by reuse"
        columns.append(column(title, "saved_by_reuse", saved, lambda s: f"{s:.0%}", 1))
        notes.append(
            "saved by reuse: the share of the time that it would take to read each history anew "
            "for every row of it, by what a history took here"
        )
    return Latency(columns=tuple(columns), notes=tuple(notes))


def is_of_rows(report: Mapping[str, Any]) -> bool:
    """Whether rows were measured; in full ranking a row is a whole list."""
    return report.get("candidates", "shown") == "shown" and report["counts"]["rows"] > 0


def sample_seconds(report: Mapping[str, Any]) -> float:
    """Seconds per row of an evaluation."""
    return sum(t["seconds"] for t in report["timings"].values()) / report["counts"]["rows"]


def saved_share(report: Mapping[str, Any], *, prefix: bool) -> float | None:
    """1 - what was spent / what reading each history for every row would have; None where it is not
    known. prefix: histories are read while pairs are scored, which has a phase of its own."""
    timings = report["timings"]
    phase = timings.get("prefixes" if prefix else "users")
    if phase is None or not phase["rows"] or not timings.get("pairs"):
        return None
    total = sum(timing["seconds"] for timing in timings.values())
    rows = timings["pairs"]["rows"]
    without = total + phase["seconds"] * (rows / phase["rows"] - 1)
    return 1 - total / without if without > 0 else None


def column(title: str, name: str, figures: Mapping[str, float], write: Any, factor: int) -> Column:
    return Column(
        title=title, names=(name,), texts={row: write(value) for row, value in figures.items()},
        values={row: (repr(factor * value),) for row, value in figures.items()},
    )  # fmt: skip
