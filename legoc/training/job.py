"""What a training is given, and what it says when it has ended."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from legoc.data.batching.batch import Batch
from legoc.language.ir.spec import Train
from legoc.progress import SILENT, Progress
from legoc.training.position import Reason
from legoc.training.ranks.world import ALONE, World


# From the monitor by epoch to whether to give up.
Hopeless = Callable[[Mapping[int, float]], bool]


def ignore(entry: Mapping[str, Any]) -> None:
    pass


class Sampler(Protocol):
    """Training batches by place: the same (epoch, step) always gives the same batch, and the same
    share of it."""

    steps: int

    def batch(self, epoch: int, step: int, share: tuple[int, int] = (0, 1)) -> Batch: ...


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What decides the best epoch. `lower`: small values are good, as of a loss."""

    name: str
    lower: bool = False

    def better(self, value: float, best: float | None) -> bool:
        return best is None or (value < best if self.lower else value > best)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything a training works with.

    module: gives `Scored` for a batch. loss: mean loss of scores F[B, K] and labels F[B, K].
    validate: the metrics of the model as it stands, by name; None where there is nothing to
    validate on, then the last epoch is the best. folder: the run folder. clock: seconds, for
    `limit` and the log. save_every: seconds between two states within an epoch. marks: metrics
    whose figures say nothing while it trains, with the reason. hopeless: told the monitor of every
    epoch so far, it says whether to give the training up. listen: is told every entry of the log,
    with the updates made so far as `step`. world: the processes that train together, of which this
    is one.
    """

    module: nn.Module
    sampler: Sampler
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Train
    monitor: Monitor
    folder: Path
    validate: Callable[[], Mapping[str, float]] | None
    progress: Progress = SILENT
    clock: Callable[[], float] = time.monotonic
    save_every: float = 120.0
    marks: Mapping[str, str] = field(default_factory=dict[str, str])
    hopeless: Hopeless | None = None
    listen: Callable[[Mapping[str, Any]], None] = ignore
    world: World = ALONE

    @property
    def updates(self) -> int:
        """Updates per epoch."""
        return math.ceil(self.sampler.steps / self.train.accumulate)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a training ended. best: the monitor of `best_epoch`, None if nothing was validated."""

    reason: Reason
    epochs: int
    best_epoch: int
    best: float | None
    seconds: float
