"""What a training writes down: the log, the state to go on from, the best weights, the end.

One process owns the record of a run; others may compute beside it without one.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from legoc.language.diagnosing.diagnostics import fail
from legoc.model.weights import own_tensors
from legoc.training.checkpoint import drop_state, load_state, save_state
from legoc.training.files import write_tensors
from legoc.training.interrupt import Interruptions
from legoc.training.job import Job, Outcome
from legoc.training.log import RunLog
from legoc.training.optimise import Optimiser
from legoc.training.position import Position, Reason


class Record:
    """The folder of a run while it trains. `position` says what model and optimiser stand at."""

    def __init__(self, job: Job, optimiser: Optimiser, guard: Interruptions) -> None:
        self.job = job
        self.optimiser = optimiser
        self.guard = guard
        found = load_state(job.folder, job.module, optimiser)
        self.position = found or Position()
        self.log = RunLog(job.folder / "log.jsonl", self.position.log)
        self.began = job.clock() - self.position.seconds
        self.saved = job.clock()
        if found is None:
            self.save()
        elif found.updates or found.epoch > 1:
            job.progress.say(f"going on in epoch {found.epoch} after {found.updates} updates")

    @property
    def seconds(self) -> float:
        return self.job.clock() - self.began

    @property
    def out_of_time(self) -> bool:
        return self.position.out_of_time(self.job.train)

    @property
    def reason_to_end(self) -> Reason | None:
        return self.position.reason_to_end(self.job.train)

    def enter_update(self, loss: float, rows: int, factor: float) -> None:
        """An update that has been made, of so many rows at `factor` of the full rate."""
        position = self.position.after_update(loss=loss, rows=rows, seconds=self.seconds)
        self.position = position
        self.log.write(
            "step", epoch=position.epoch, update=position.updates, loss=loss, rows=rows,
            lr=self.job.train.lr * factor, seconds=round(position.seconds, 3),
        )  # fmt: skip

    def enter_epoch(self) -> None:
        """Measure the model at the end of the current epoch, store it if it is the best so far, and
        go to the next. E0552 where the monitor has no value."""
        job, ended = self.job, self.position
        figures = dict(job.validate()) if job.validate is not None else {}
        value = figures.get(job.monitor.name)
        if job.validate is not None and (value is None or not math.isfinite(value)):
            raise fail(
                "E0552",
                f"the monitor `{job.monitor.name}` has no value on the validation rows",
                "choose a `monitor` that is defined there, such as `LogLoss`, or another `split`",
            )
        best = value is None or job.monitor.better(value, ended.best)
        with self.guard.together():
            if best:
                write_tensors(job.folder / "best.safetensors", own_tensors(job.module))
            seconds = self.seconds
            self.log.write(
                "evaluation", epoch=ended.epoch, loss=ended.mean_loss, metrics=figures, best=best,
                seconds=round(seconds, 3),
            )  # fmt: skip
            self.position = ended.after_epoch(value=value, best=best, seconds=seconds)
            self.write_state()
        self.say_epoch(ended, figures, best)

    def say_epoch(self, ended: Position, figures: Mapping[str, float], best: bool) -> None:
        """One line for the evaluation of an epoch, one if training stops early."""
        job = self.job
        line = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        loss = "" if ended.mean_loss is None else f"loss {ended.mean_loss:.4f}  "
        job.progress.say(f"epoch {ended.epoch}: {loss}{line}{'  (best)' * bool(line and best)}")
        if self.reason_to_end == "patience":
            job.progress.say(
                f"stopped early: no better {job.monitor.name} since epoch "
                f"{self.position.best_epoch}"
            )
        if self.reason_to_end == "limit":
            job.progress.say(f"stopped at the limit of {job.train.limit:g} seconds")

    def enter_end(self, reason: Reason) -> Outcome:
        """Close the log and remove the state: nothing is left to go on from."""
        end = Outcome(
            reason=reason,
            epochs=self.position.epoch - 1,
            best_epoch=self.position.best_epoch or 0,
            best=self.position.best,
            seconds=self.position.seconds,
        )
        with self.guard.together():
            self.log.write(
                "end", reason=end.reason, epochs=end.epochs, best_epoch=end.best_epoch,
                best=end.best, seconds=round(end.seconds, 3),
            )  # fmt: skip
            self.log.sync()
            drop_state(self.job.folder)
        return end

    def save_when_due(self) -> None:
        """The state, where the last one is older than `save_every`."""
        if self.job.clock() - self.saved >= self.job.save_every:
            self.save()

    def save(self) -> None:
        with self.guard.together():
            self.write_state()

    def write_state(self) -> None:
        self.log.sync()
        self.position = replace(self.position, log=self.log.length)
        save_state(self.job.folder, self.job.module, self.optimiser, self.position)
        self.saved = self.job.clock()
