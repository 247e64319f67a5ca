"""What a training writes down: the log, the state to go on from, the best weights, the end.

One process owns the record of a run; others may compute beside it without one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from legoc.evaluation.marks import MARK
from legoc.model.weights import own_tensors
from legoc.training.averaging import Average
from legoc.training.checkpoint import drop_state, load_state, put_back, save_state, set_aside
from legoc.training.divergence import is_worse, remedies, verify_weights
from legoc.training.files import write_tensors
from legoc.training.interrupt import Interruptions
from legoc.training.job import Job, Outcome
from legoc.training.log import RunLog, read_monitor
from legoc.training.optimise import Optimiser
from legoc.training.position import BROKEN_OFF, Position, Reason
from legoc.training.validation import no_value


# Updates of an epoch below which a log is small, and a rate at which models learnt more of such
# logs (docs/learning.md).
FEW, QUICK = 100, 1e-2


def write_duration(seconds: float) -> str:
    """Whole seconds or more as the language has them: `90s`, `2h`."""
    whole = max(math.ceil(seconds), 1)
    for unit, size in (("h", 3600), ("min", 60)):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An evaluation: the figures by name, that of the monitor, and whether it is the best so far;
    without validation the latest is the best."""

    figures: Mapping[str, float]
    value: float | None
    best: bool


class Record:
    """The folder of a run while it trains. `position` says what model and optimiser stand at;
    `open` that nothing has ended it."""

    def __init__(self, job: Job, optimiser: Optimiser, guard: Interruptions) -> None:
        self.job = job
        self.optimiser = optimiser
        self.average = Average(job.module, job.train.average)
        self.guard = guard
        self.open = True
        self.given_up = False
        found = load_state(job.folder, job.module, optimiser, self.average)
        self.position = found or Position()
        self.log = RunLog(job.folder / "log.jsonl", self.position.log)
        # The log has no end any more: only now may other weights be the best.
        put_back(job.folder)
        self.began = job.clock() - self.position.seconds
        self.saved = job.clock()
        if found is None:
            self.save()
        elif found.updates or found.epoch > 1:
            job.progress.say(f"going on in epoch {found.epoch} after {found.updates} updates")
        if found is not None and not found.updates and found.epoch > 1:
            # What was given up is judged again, in case it is by something else.
            self.given_up = self.is_hopeless()

    @property
    def seconds(self) -> float:
        return self.job.clock() - self.began

    @property
    def out_of_time(self) -> bool:
        return self.position.out_of_time(self.job.train)

    @property
    def reason_to_end(self) -> Reason | None:
        found = self.position.reason_to_end(self.job.train, self.job.updates)
        return "hopeless" if found is None and self.given_up else found

    def write(self, event: str, position: Position, **entry: Any) -> None:
        """An entry of the log, and the same to whoever listens, with how far the training is."""
        self.log.write(event, **entry)
        step = (position.epoch - 1) * self.job.updates + position.updates
        self.job.listen({"event": event, **entry, "step": step})

    def enter_update(
        self, loss: float, rows: int, factor: float, seconds: float | None = None
    ) -> None:
        """An update that has been made, of so many rows at `factor` of the full rate. seconds: as
        others have been told, else as the clock says now."""
        seconds = self.seconds if seconds is None else seconds
        position = self.position.after_update(loss=loss, rows=rows, seconds=seconds)
        self.position = position
        self.average.enter((position.epoch - 1) * self.job.updates + position.updates)
        self.write(
            "step", position, epoch=position.epoch, update=position.updates, loss=loss, rows=rows,
            lr=self.job.train.lr * factor, seconds=round(position.seconds, 3),
        )  # fmt: skip

    def enter_epoch(self) -> None:
        """Measure the model at the end of the current epoch, store it if it is the best so far, and
        go to the next. E0552 where the monitor has no value."""
        found, ended = self.measure(), self.position
        with self.guard.together():
            self.position = self.write_measured(found)
            self.write_state()
        self.given_up = self.is_hopeless()
        self.say_epoch(ended, found, self.reason_to_end)

    def enter_limit(self) -> Outcome:
        """End within the current epoch, as if it were over. The state stays that of the epoch, and
        the best weights beside it those of whole epochs, so that more time goes on from there as if
        there had been no limit."""
        self.save()
        found, cut = self.measure(), self.position
        with self.guard.together():
            if found.best and cut.best_epoch is not None:
                set_aside(self.job.folder)
            ended = self.write_measured(found)
            end = self.write_end("limit", ended, at=cut)
        self.say_epoch(cut, found, "limit")
        return end

    def enter_end(self, reason: Reason) -> Outcome:
        """Close the log; only what was broken off can be gone on with."""
        with self.guard.together():
            end = self.write_end(reason, self.position)
            if reason not in BROKEN_OFF:
                drop_state(self.job.folder)
        return end

    def is_hopeless(self) -> bool:
        """Whether whoever watches gives this training up."""
        job = self.job
        if job.hopeless is None or job.validate is None:
            return False
        return job.hopeless(read_monitor(job.folder / "log.jsonl", job.monitor.name))

    def measure(self) -> "Measured":
        """The figures of the model as it stands; E0552 where the monitor has no value."""
        job = self.job
        if job.validate is None:
            return Measured(figures={}, value=None, best=True)
        with self.average.shown():
            figures = dict(job.validate())
        value = figures.get(job.monitor.name)
        if value is None or not math.isfinite(value):
            raise no_value(job.monitor.name)
        best = job.monitor.better(value, self.position.best)
        return Measured(figures=figures, value=value, best=best)

    def write_measured(self, found: "Measured") -> Position:
        """Log an evaluation, store the weights if they are the best, and give the position behind
        the epoch."""
        job, position, seconds = self.job, self.position, self.seconds
        if found.best:
            with self.average.shown():
                weights = own_tensors(job.module)
                verify_weights(weights, job.train, epoch=position.epoch)
                write_tensors(job.folder / "best.safetensors", weights)
        self.write(
            "evaluation", position, epoch=position.epoch, loss=position.mean_loss,
            metrics=found.figures, best=found.best, seconds=round(seconds, 3),
        )  # fmt: skip
        return position.after_epoch(value=found.value, best=found.best, seconds=seconds)

    def write_end(self, reason: Reason, ended: Position, at: Position | None = None) -> Outcome:
        """The last line of the log, on the disk: from now on the training counts as ended. at: how
        far it is where that is within an epoch, as if it were over."""
        end = Outcome(
            reason=reason,
            epochs=ended.epoch - 1,
            best_epoch=ended.best_epoch or 0,
            best=ended.best,
            seconds=ended.seconds,
        )
        self.write(
            "end", at or ended, reason=end.reason, epochs=end.epochs, best_epoch=end.best_epoch,
            best=end.best, seconds=round(end.seconds, 3),
        )  # fmt: skip
        self.log.sync()
        self.open = False
        if reason in ("epochs", "limit") and ended.still_better:
            self.say_unfinished(reason)
        if is_worse(ended.best_loss, ended.first):
            self.job.progress.say(
                f"warning: the loss is {ended.best_loss:.4g} in the best epoch and was "
                f"{ended.first:.4g} before training: {remedies(self.job.train)}"
            )
        return end

    def say_epoch(self, ended: Position, found: "Measured", reason: Reason | None) -> None:
        """One line for the evaluation of an epoch, one if training stops early."""
        job, monitor = self.job, self.job.monitor.name
        line = "  ".join(
            f"{name}{MARK * (name in job.marks)} {value:.4f}"
            for name, value in found.figures.items()
        )
        mean = ended.mean_loss
        loss = "" if mean is None else f"loss {mean:{'.4f' if abs(mean) < 1e6 else '.4g'}}  "
        best = "  (best)" * bool(line and found.best)
        job.progress.say(f"epoch {ended.epoch}: {loss}{line}{best}")
        if reason == "patience":
            since = self.position.best_epoch
            job.progress.say(f"stopped early: no better {monitor} since epoch {since}")
            if job.updates < FEW and job.train.lr < QUICK:
                job.progress.say(
                    f"an epoch is {job.updates} updates: on so small a log a model often learns "
                    f"more at a higher rate, `--set train.lr={QUICK:g}`"
                )
        if reason == "hopeless":
            job.progress.say(f"given up: {monitor} is behind that of other trainings")
        if reason == "limit":
            job.progress.say(f"stopped at the limit of {job.train.limit:g} seconds")

    def say_unfinished(self, reason: Reason) -> None:
        """One line where training ended while every epoch was still better than those before."""
        job = self.job
        moved = "falling" if job.monitor.lower else "rising"
        more = f"epochs={2 * job.train.epochs}"
        if reason == "limit" and job.train.limit is not None:
            more = f"limit={write_duration(2 * job.train.limit)}"
        job.progress.say(
            f"warning: {job.monitor.name} was still {moved} in the last epoch, which is the best; "
            f"train longer: `--set train.{more}`"
        )

    def save_when_due(self) -> None:
        """The state, where the last one is older than `save_every`."""
        if self.job.clock() - self.saved >= self.job.save_every:
            self.save()

    def obey(self) -> None:
        """Stop where others have said so."""

    def close(self) -> None:
        self.log.close()

    def save(self) -> None:
        if not self.open:
            return
        with self.guard.together():
            self.write_state()

    def write_state(self) -> None:
        self.log.sync()
        self.position = replace(self.position, log=self.log.length)
        save_state(self.job.folder, self.job.module, self.optimiser, self.average, self.position)
        self.saved = self.job.clock()
