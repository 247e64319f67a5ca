"""How the learning rate moves over a training: warm-up, then constant, linear or cosine."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The factor on the learning rate at each of `total` updates, counted from 0.

    The first `warmup` updates rise linearly, (t + 1) / warmup, so that the last of them has the
    full rate and the first is not lost. Over the rest, s from 0 to below 1: `constant` stays at 1,
    `linear` is 1 - s, `cosine` is (1 + cos(pi s)) / 2.
    """

    kind: Literal["constant", "linear", "cosine"]
    total: int
    warmup: int

    def factor(self, update: int) -> float:
        if update < self.warmup:
            return (update + 1) / self.warmup
        if self.kind == "constant" or self.total <= self.warmup:
            return 1.0
        share = min((update - self.warmup) / (self.total - self.warmup), 1.0)
        return 1 - share if self.kind == "linear" else (1 + math.cos(math.pi * share)) / 2


def build_schedule(kind: str, *, total: int, warmup: float) -> Schedule:
    """The schedule of a recipe; `warmup` is a share of `total` updates."""
    if kind not in ("constant", "linear", "cosine"):
        raise ValueError(f"no schedule {kind!r}")
    return Schedule(kind=kind, total=total, warmup=round(warmup * total))  # type: ignore[arg-type]
