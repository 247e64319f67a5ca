"""Timing as ratios within one run.

Pieces of work take turns, so that a machine which slows down slows them all, and CPU seconds are
counted, so that neighbours on the machine do not count.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timed:
    """CPU seconds of each turn of one piece of work, and how many units a turn does."""

    name: str
    unit: str
    units: float
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Units per CPU second."""
        return self.units / self.median


def take_turns(
    work: dict[str, tuple[float, Callable[[], object]]], unit: str, turns: int = 5
) -> dict[str, Timed]:
    """Run each piece once to warm up, then all of them in turn; `work` maps a name to the units a
    call does and the call."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _, call in work.values():
        call()
    for _ in range(turns):
        for name, (_, call) in work.items():
            began = time.process_time()
            call()
            seconds[name].append(time.process_time() - began)
    return {
        name: Timed(name=name, unit=unit, units=units, seconds=tuple(seconds[name]))
        for name, (units, _) in work.items()
    }


def show(title: str, timed: dict[str, Timed], baseline: str) -> None:
    """A line for each piece of work: its rate, and the ratio to the baseline turn by turn."""
    print(f"\n{title}")
    base = timed[baseline]
    width = max(map(len, timed))
    for name, one in timed.items():
        ratios = [
            (one.units / a) / (base.units / b)
            for a, b in zip(one.seconds, base.seconds, strict=True)
        ]
        middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
        spread = "baseline" if name == baseline else f"{middle:,.2f} x ({low:,.2f} to {high:,.2f})"
        print(f"  {name:<{width}}  {one.rate:>12,.0f} {one.unit} per CPU second   {spread}")
