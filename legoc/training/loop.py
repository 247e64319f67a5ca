"""The loop: updates over epochs, an evaluation after each, early stopping, and going on again.

What a training does depends on nothing but its recipe, data and seed: batches come from (epoch,
step), torch's generator is seeded from (seed, epoch, step) before every batch, and the state is
saved between updates. So an interrupted training ends with the very weights of one that was not.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from legoc.data.batching.batch import Batch
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Train
from legoc.model.weights import own_tensors
from legoc.progress import SILENT, Progress
from legoc.training.checkpoint import Position, drop_state, load_state, save_state
from legoc.training.files import write_tensors
from legoc.training.interrupt import Interruptions
from legoc.training.log import RunLog
from legoc.training.optimise import Optimiser, build_optimiser
from legoc.training.schedule import Schedule, build_schedule


Reason = Literal["epochs", "patience", "limit"]


class Sampler(Protocol):
    """Training batches by place: the same (epoch, step) always gives the same batch."""

    steps: int

    def batch(self, epoch: int, step: int) -> Batch: ...


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

    loss: mean loss of scores F[B, K] and labels F[B, K]. validate: the metrics of the model as it
    stands, by name; None where there is nothing to validate on, then the last epoch is the best.
    folder: the run folder. clock: seconds, for `limit` and the log.
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


def fit(job: Job) -> Outcome:
    """Train, from where the run folder stands, to the end.

    Writes log.jsonl, best.safetensors and, while it lasts, resume/. KeyboardInterrupt passes
    through after the state is saved. Raises LegoError E0550 (loss not finite), E0551 (no rows),
    E0552 (monitor undefined), E0554 (state does not fit).
    """
    if not job.sampler.steps:
        raise fail(
            "E0551",
            "the training part of the data has no row this task can use",
            "look at what `legoc data` counts for `train`, or choose another `split` or `task`",
        )
    with Interruptions() as guard:
        training = Training(job, guard)
        try:
            return training.run()
        except KeyboardInterrupt:
            if guard.consistent:
                training.save()
            raise
        finally:
            training.log.close()


class Training:
    """The moving parts of one sitting; `position` says what model and optimiser stand at."""

    def __init__(self, job: Job, guard: Interruptions) -> None:
        self.job = job
        self.guard = guard
        self.optimiser: Optimiser = build_optimiser(job.module, job.train)
        self.schedule: Schedule = build_schedule(
            job.train.schedule, total=job.train.epochs * job.updates, warmup=job.train.warmup
        )
        found = load_state(job.folder, job.module, self.optimiser)
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
        limit = self.job.train.limit
        return limit is not None and self.position.seconds >= limit

    def run(self) -> Outcome:
        while (reason := self.ended()) is None:
            self.epoch()
            self.judge()
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

    def ended(self) -> Reason | None:
        """Why there is no further epoch, or None. Follows from the position alone."""
        position, train = self.position, self.job.train
        if position.updates:
            return None
        if position.epoch > train.epochs:
            return "epochs"
        if position.stale and position.stale >= train.patience:
            return "patience"
        return "limit" if position.epoch > 1 and self.out_of_time else None

    def epoch(self) -> None:
        """The updates of the current epoch that are still to be made."""
        job = self.job
        job.module.train()
        done = self.position.updates
        began, rows = time.monotonic(), self.position.rows
        with job.progress.task(f"epoch {self.position.epoch}", job.updates, "update") as bar:
            bar.advance(done)
            for number, batches in self.groups(done):
                with self.guard.together():
                    self.update(number, batches)
                rate = (self.position.rows - rows) / max(time.monotonic() - began, 1e-9)
                mean = self.position.loss / self.position.rows
                bar.advance(1, f"loss {mean:.4f}  {rate:,.0f} samples/s")
                if self.out_of_time:
                    break
                if job.clock() - self.saved >= job.save_every:
                    self.save()

    def groups(self, first: int) -> Iterator[tuple[int, list[Batch]]]:
        """The batches of each update from `first` on, made one update ahead in a second thread:
        numpy and torch both release the interpreter while they compute."""
        sampler, each, epoch = self.job.sampler, self.job.train.accumulate, self.position.epoch

        def build(number: int) -> list[Batch]:
            steps = range(number * each, min((number + 1) * each, sampler.steps))
            return [sampler.batch(epoch, step) for step in steps]

        if self.out_of_time or first >= self.job.updates:
            return
        with ThreadPoolExecutor(1) as worker:
            coming = worker.submit(build, first)
            for number in range(first, self.job.updates):
                batches = coming.result()
                if number + 1 < self.job.updates:
                    coming = worker.submit(build, number + 1)
                yield number, batches

    def update(self, number: int, batches: list[Batch]) -> None:
        """One update: gradients of all its batches, each weighted by its rows, then one step."""
        job, position = self.job, self.position
        rows = sum(len(batch.users) for batch in batches)
        total = 0.0
        for offset, batch in enumerate(batches):
            step = number * job.train.accumulate + offset
            torch.manual_seed(infer_seed(job.train.seed, position.epoch, step))
            scores = job.module(batch)
            labels = torch.as_tensor(batch.labels, device=scores.device)
            loss = job.loss(scores, labels) * (len(batch.users) / rows)
            value = loss.item()
            if not math.isfinite(value):
                raise self.diverged(step)
            loss.backward()
            total += value
        factor = self.schedule.factor((position.epoch - 1) * job.updates + number)
        self.optimiser.update(factor)
        self.position = replace(
            position,
            updates=number + 1,
            loss=position.loss + total * rows,
            rows=position.rows + rows,
            seconds=self.seconds,
        )
        self.log.write(
            "step", epoch=position.epoch, update=number + 1, loss=total, rows=rows,
            lr=job.train.lr * factor, seconds=round(self.position.seconds, 3),
        )  # fmt: skip

    def diverged(self, step: int) -> Exception:
        train = self.job.train
        ways = [f"lower `lr` (now {train.lr:g})"]
        ways.append("limit the gradient with `clip=1.0`" if train.clip is None else "lower `clip`")
        if not train.warmup:
            ways.append("warm up with `warmup=5%`")
        return fail(
            "E0550",
            f"the loss is not finite at epoch {self.position.epoch}, step {step + 1}",
            "; or ".join(ways),
        )

    def judge(self) -> None:
        """Evaluate, keep the model if it is the best so far, and go on to the next epoch."""
        job, position = self.job, self.position
        figures = dict(job.validate()) if job.validate is not None else {}
        value = figures.get(job.monitor.name)
        if job.validate is not None and (value is None or not math.isfinite(value)):
            raise fail(
                "E0552",
                f"the monitor `{job.monitor.name}` has no value on the validation rows",
                "choose a `monitor` that is defined there, such as `LogLoss`, or another `split`",
            )
        best = value is None or job.monitor.better(value, position.best)
        stale = 0 if best else position.stale + 1
        with self.guard.together():
            if best:
                write_tensors(job.folder / "best.safetensors", own_tensors(job.module))
            seconds = self.seconds
            loss = position.loss / position.rows if position.rows else None
            self.log.write(
                "evaluation", epoch=position.epoch, loss=loss, metrics=figures, best=best,
                seconds=round(seconds, 3),
            )  # fmt: skip
            self.position = Position(
                epoch=position.epoch + 1,
                seconds=seconds,
                best=value if best else position.best,
                best_epoch=position.epoch if best else position.best_epoch,
                stale=stale,
            )
            self.write_state()
        self.report(position, figures, best)

    def report(self, position: Position, figures: Mapping[str, float], best: bool) -> None:
        """One line for the evaluation of the epoch `position` ends, one if training stops early."""
        job = self.job
        line = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        loss = f"loss {position.loss / position.rows:.4f}  " if position.rows else ""
        job.progress.say(f"epoch {position.epoch}: {loss}{line}{'  (best)' * bool(line and best)}")
        reason = self.ended()
        if reason == "patience":
            job.progress.say(
                f"stopped early: no better {job.monitor.name} since epoch "
                f"{self.position.best_epoch}"
            )
        if reason == "limit":
            job.progress.say(f"stopped at the limit of {job.train.limit:g} seconds")

    def save(self) -> None:
        with self.guard.together():
            self.write_state()

    def write_state(self) -> None:
        self.log.sync()
        self.position = replace(self.position, log=self.log.length)
        save_state(self.job.folder, self.job.module, self.optimiser, self.position)
        self.saved = self.job.clock()


def infer_seed(seed: int, *counters: int) -> int:
    """A seed for torch's generator that follows from a recipe's seed and counters."""
    return int(np.random.SeedSequence((seed, *counters)).generate_state(1, np.uint64)[0])
