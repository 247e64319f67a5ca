"""How far a training has come, as a value: whoever has it knows what comes next."""

from dataclasses import dataclass, replace
from typing import Literal

from legoc.language.ir.spec import Train


# `limit` and `hopeless` break off: more time, or another judgement, goes on from there.
Reason = Literal["epochs", "patience", "limit", "hopeless"]
BROKEN_OFF: tuple[Reason, ...] = ("limit", "hopeless")


@dataclass(frozen=True, kw_only=True)
class Position:
    """The place between two updates.

    epoch: the current one, from 1. updates: those made in it; once all are, its evaluation is next.
    loss, rows: sums over this epoch. seconds: time spent, earlier sittings included. best,
    best_epoch: the monitor at its best, None before the first evaluation. stale: evaluations since.
    log: length of log.jsonl in bytes; what lies behind belongs to work that is done again. first:
    the loss of the first update of all. best_loss: the mean loss of `best_epoch`.
    """

    epoch: int = 1
    updates: int = 0
    loss: float = 0.0
    rows: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int | None = None
    stale: int = 0
    log: int = 0
    first: float | None = None
    best_loss: float | None = None

    @property
    def mean_loss(self) -> float | None:
        """Over the rows of this epoch so far."""
        return self.loss / self.rows if self.rows else None

    @property
    def still_better(self) -> bool:
        """Whether the last epoch, of two and more, was better than all before."""
        ended = self.epoch - 1
        return self.best is not None and ended > 1 and self.best_epoch == ended

    def after_update(self, *, loss: float, rows: int, seconds: float) -> "Position":
        """One more update, of so many rows with this mean loss."""
        return replace(
            self,
            updates=self.updates + 1,
            loss=self.loss + loss * rows,
            rows=self.rows + rows,
            seconds=seconds,
            first=loss if self.first is None else self.first,
        )

    def after_epoch(self, *, value: float | None, best: bool, seconds: float) -> "Position":
        """The beginning of the next epoch; `value` is the monitor, `best` that it never was
        better."""
        return Position(
            epoch=self.epoch + 1,
            seconds=seconds,
            best=value if best else self.best,
            best_epoch=self.epoch if best else self.best_epoch,
            stale=0 if best else self.stale + 1,
            first=self.first,
            best_loss=self.mean_loss if best else self.best_loss,
        )

    def reason_to_end(self, train: Train, each: int) -> Reason | None:
        """Why there is no further epoch, or None. each: the updates of an epoch."""
        if self.updates:
            return None
        ended = self.epoch - 1
        if ended >= train.epochs:
            return "epochs"
        if self.stale and self.stale >= train.patience and each * ended >= train.min_updates:
            return "patience"
        return "limit" if self.epoch > 1 and self.out_of_time(train) else None

    def out_of_time(self, train: Train) -> bool:
        return train.limit is not None and self.seconds >= train.limit
