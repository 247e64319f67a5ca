"""What a training takes of electricity: by constants, or as codecarbon has it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from legoc.training.meter import Meter, start_meter


# Watts, of the order of processors and accelerators at work; no property of a machine.
CORE = 12.0
GPU = 300.0
# Grams of CO2e per kWh, and where they are from.
INTENSITY = 475.0
WORLD = "average of the world in 2018, IEA, Global Energy & CO2 Status Report 2019"
GIVEN = "as given"
SCOPE = (
    "processor and GPU while a model trains, is validated and makes the states of items that were "
    "not kept; without memory, data preparation, export and test"
)
ESTIMATED = "estimated"
MEASURED = "measured"
PARTLY = "partly measured"
JOULES = 3.6e6


@dataclass(frozen=True, kw_only=True)
class Energy:
    """How a training's electricity is found out. measured: by codecarbon, else `core` watts for
    each second of a core and `gpu` watts for each second on a GPU. intensity: grams of CO2e per
    kWh; `source` is where that is from."""

    measured: bool = False
    core: float = CORE
    gpu: float = GPU
    intensity: float = INTENSITY
    source: str = WORLD


@dataclass(frozen=True, kw_only=True)
class Taken:
    """kWh, how they are known, and by what."""

    kwh: float
    how: str
    by: str


ESTIMATE = Energy()


class Gauge:
    """What a block takes, told once it has ended."""

    def __init__(self, energy: Energy, gpu: bool, meter: Meter | None) -> None:
        self.energy, self.gpu, self.meter = energy, gpu, meter

    def read(self, cpu: float, wall: float, earlier: Mapping[str, Any]) -> dict[str, Any]:
        """The entry `energy` of cost.json, with what earlier sittings took. cpu, wall: seconds."""
        found = None if self.meter is None else self.meter.stop()
        own = (
            estimate(self.energy, cpu, wall, gpu=self.gpu)
            if found is None
            else Taken(kwh=found.kwh, how=name_how(found.metered, found.assumed), by=found.by)
        )
        whole = add(taken_before(self.energy, earlier, gpu=self.gpu), own)
        return {
            "kwh": whole.kwh,
            "how": whole.how,
            "by": whole.by,
            "scope": SCOPE,
            "intensity": self.energy.intensity,
            "source": self.energy.source,
            "kg_co2e": emit(whole.kwh, self.energy.intensity),
        }


@contextmanager
def gauged(energy: Energy, *, gpu: bool) -> Iterator[Gauge]:
    """The gauge of a block. gpu: whether it works on one. E0585 where there is nothing to measure
    with, before the block begins."""
    meter = start_meter(gpu=gpu) if energy.measured else None
    try:
        yield Gauge(energy, gpu, meter)
    finally:
        if meter is not None:
            meter.stop()


def estimate(energy: Energy, cpu: float, wall: float, *, gpu: bool) -> Taken:
    """kWh by constants: of cores for the seconds they work, of a GPU for those that pass."""
    joules = cpu * energy.core + (wall * energy.gpu if gpu else 0.0)
    by = f"{energy.core:g} W per core at work"
    if gpu:
        by += f" and {energy.gpu:g} W of the GPU"
    return Taken(kwh=joules / JOULES, how=ESTIMATED, by=by)


def taken_before(energy: Energy, earlier: Mapping[str, Any], *, gpu: bool) -> Taken | None:
    """What earlier sittings took; one that recorded seconds alone is estimated."""
    known = earlier.get("energy")
    if known:
        return Taken(kwh=known["kwh"], how=known["how"], by=known["by"])
    if earlier.get("cpu"):
        return estimate(energy, earlier["cpu"], earlier.get("wall", 0.0), gpu=gpu)
    return None


def add(one: Taken | None, other: Taken) -> Taken:
    """Both together; what is known in different ways is partly measured or, without a meter,
    estimated."""
    if one is None:
        return other
    return Taken(
        kwh=one.kwh + other.kwh,
        how=join([one.how, other.how]),
        by="; ".join(dict.fromkeys([*one.by.split("; "), *other.by.split("; ")])),
    )


def join(hows: list[str]) -> str:
    """How a sum or a mean of figures is known, that are known in these ways."""
    ways = set(hows)
    if len(ways) == 1:
        return hows[0]
    return PARTLY if ways & {MEASURED, PARTLY} else ESTIMATED


def name_how(metered: bool, assumed: bool) -> str:
    """metered: some processor has a meter; assumed: some has none."""
    if not metered:
        return ESTIMATED
    return PARTLY if assumed else MEASURED


def emit(kwh: float, intensity: float) -> float:
    """kg of CO2e. intensity: grams per kWh."""
    return kwh * intensity / 1000
