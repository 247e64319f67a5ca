"""Sets of precisions that were measured against float32, and whether they lose no more than is
tolerated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from legoc.evaluation.comparison import Compared, Interval, compare
from legoc.evaluation.measured import Measured
from legoc.exporting.certificate import number
from legoc.exporting.trade import Precisions, Trade
from legoc.exporting.variants import FULL
from legoc.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of precisions. compared: it less float32, None where its scores are not finite.
    agreement: the mean share of common items among the best."""

    precisions: Precisions
    bytes: int
    compared: Compared | None
    holds: bool
    agreement: float | None

    def to_json(self, taken: Mapping[tuple[str, str], float]) -> dict[str, Any]:
        """taken: milliseconds of a call by graph and precision."""
        own = {name: taken[name, precision] for name, precision in self.precisions.items()}
        score = own.pop("predictor")
        found = self.compared
        low, high = (None, None) if found is None else (found.interval.low, found.interval.high)
        return {
            "precisions": dict(self.precisions),
            "bytes": self.bytes,
            "encode_ms": sum(own.values()),
            "score_ms": score,
            "difference": None if found is None else number(found.difference),
            "interval": [None if end is None else number(end) for end in (low, high)],
            "agreement": self.agreement,
            "holds": self.holds,
        }


def holds(compared: Compared, better: str, loss: float) -> bool:
    """Whether all that is likely lies inside the loss; an unknown end does not."""
    low, high = compared.interval.low, compared.interval.high
    return low >= -loss if better == "higher" else high <= loss


class Trials:
    """Sets of precisions that were measured, each once. level: what the interval of each covers."""

    def __init__(
        self, trade: Trade, full: Measured, loss: float, level: float, seed: int, progress: Progress
    ) -> None:
        self.trade, self.full, self.loss, self.level, self.seed = trade, full, loss, level, seed
        self.progress = progress
        self.made: dict[tuple[tuple[str, str], ...], Trial] = {}

    def add(self, chosen: Precisions) -> Trial:
        """The trial of a set, made now or before."""
        key = tuple(chosen.items())
        if key not in self.made:
            self.made[key] = self.measure(chosen)
        return self.made[key]

    def measure(self, chosen: Precisions) -> Trial:
        size = sum(made.bytes for made in self.trade.variants.pick(chosen).values())
        if set(chosen.values()) == {FULL}:
            same = Compared(difference=0.0, interval=Interval(low=0.0, high=0.0), p=1.0)
            return Trial(precisions=chosen, bytes=size, compared=same, holds=True, agreement=1.0)
        self.progress.say(f"measuring {write_set(chosen)}")
        measured = self.trade.measure(chosen)
        if measured is None:
            return Trial(precisions=chosen, bytes=size, compared=None, holds=False, agreement=None)
        (compared,) = compare([(measured, self.full)], seed=self.seed, level=self.level)
        return Trial(
            precisions=chosen, bytes=size, compared=compared,
            holds=holds(compared, self.full.better, self.loss),
            agreement=self.trade.agreement(chosen),
        )  # fmt: skip


def write_set(chosen: Precisions) -> str:
    return ", ".join(f"{name} in {precision}" for name, precision in chosen.items())
