"""What systems took of electricity, as columns of a table: kWh, kg of CO2e and AUC per carbon."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from legoc.experiments.systems import System
from legoc.experiments.table import Column
from legoc.language.diagnosing.diagnostics import fail
from legoc.training.cost import read_cost
from legoc.training.energy import GIVEN, SCOPE, emit, join


# AUC as benchmarks of news print it is the mean over impressions, which is GAUC.
ACCURACY = ("GAUC", "AUC")
DIGITS = 3


@dataclass(frozen=True, kw_only=True)
class Used:
    """The mean of a system's trainings, how it is known and by what."""

    kwh: float
    how: str
    by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Electricity:
    """Columns with what they mean, and what to warn of."""

    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def find_electricity(systems: Sequence[System], carbon: float | None = None) -> Electricity:
    """The columns of some systems. carbon: grams of CO2e per kWh, else those that all trainings
    were counted with; E0586 where they differ."""
    records = {each.name: records_of(each) for each in systems}
    everything = [record for found in records.values() for record in found]
    if not everything:
        return Electricity(columns=(), notes=(), warnings=(
            "no run here has recorded its electricity: they are of an earlier version, and "
            "`legoc train --again` records it",
        ))  # fmt: skip
    intensity, source = (carbon, GIVEN) if carbon is not None else choose_intensity(everything)
    used = {name: sum_up(found) for name, found in records.items() if found}
    kg = {name: emit(each.kwh, intensity) for name, each in used.items()}
    metric = next((m for m in ACCURACY if all(m in each.metrics for each in systems)), None)
    columns = [
        column(
            "kWh of training", ("kwh", "energy"), {n: each.kwh for n, each in used.items()}, used
        ),
        column("kg CO2e", ("kg_co2e",), kg, used),
    ]
    notes = [
        f"kWh of one training: {SCOPE}",
        *sorted({f"{each.how}: {by}" for each in used.values() for by in each.by}),
        f"kg CO2e: {intensity:g} g per kWh ({source})",
    ]
    if metric is not None:
        found = {
            each.name: apc(each.measure(metric).figure, kg[each.name])
            for each in systems
            if each.name in kg
        }
        known = {name: value for name, value in found.items() if not math.isnan(value)}
        columns.append(column("ApC per kg", ("apc_per_kg",), known, used))
        notes.append(f"ApC per kg: ({metric} in percent - 50) / kg CO2e x 100")
    else:
        notes.append("no ApC: neither GAUC nor AUC is measured of all rows")
    warnings: list[str] = []
    if len({(each.how, each.by) for each in used.values()}) > 1:
        warnings.append(
            "the electricity of these rows is not known in one way: figures of different marks or "
            "constants do not compare"
        )
    return Electricity(columns=tuple(columns), notes=tuple(notes), warnings=tuple(warnings))


def records_of(system: System) -> list[Mapping[str, Any]]:
    """What the trainings of a system have recorded of electricity."""
    found = [read_cost(result.run.folder).get("energy") for result in system.results]
    return [each for each in found if each]


def choose_intensity(records: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """The one intensity of all records with its source, else E0586."""
    found = list(dict.fromkeys((each["intensity"], each["source"]) for each in records))
    if len({intensity for intensity, _ in found}) > 1:
        told = " and ".join(f"{intensity:g}" for intensity, _ in found)
        raise fail(
            "E0586",
            f"these runs count with {told} grams of CO2e per kWh",
            f"say one for all, such as `--carbon {found[0][0]:g}`",
        )
    return found[0]


def sum_up(records: Sequence[Mapping[str, Any]]) -> Used:
    return Used(
        kwh=fmean(each["kwh"] for each in records),
        how=join([each["how"] for each in records]),
        by=tuple(dict.fromkeys(each["by"] for each in records)),
    )


def apc(accuracy: float, kg: float) -> float:
    """Points of AUC above chance per kg of CO2e, times a hundred. accuracy: a share, not percent.
    Not defined where nothing was emitted."""
    return (100 * accuracy - 50) / kg * 100 if kg > 0 else math.nan


def column(
    title: str, names: tuple[str, ...], figures: Mapping[str, float], used: Mapping[str, Used]
) -> Column:
    """A column whose every figure has its mark. With two names CSV has the mark as a column."""
    marked = len(names) > 1
    return Column(
        title=title,
        texts={name: f"{write(value)} {used[name].how}" for name, value in figures.items()},
        names=names,
        values={
            name: (repr(value), used[name].how) if marked else (repr(value),)
            for name, value in figures.items()
        },
    )


def write(figure: float) -> str:
    """A figure with three digits that count."""
    if figure == 0 or abs(figure) < 1e-4:
        return f"{figure:.{DIGITS}g}"
    rounded = round(figure, DIGITS - 1 - magnitude(figure))
    return f"{rounded:,.{max(DIGITS - 1 - magnitude(rounded), 0)}f}"


def magnitude(figure: float) -> int:
    """The power of ten that a figure begins with."""
    return math.floor(math.log10(abs(figure)))
