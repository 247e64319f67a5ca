"""The loop: epochs of updates, an evaluation after each, until the record says why it ends.

What a training does depends on nothing but its recipe, data and seed, and the state is saved
between updates. So an interrupted training ends with the very weights of one that was not.
"""

import time
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

from legoc.language.diagnosing.diagnostics import fail
from legoc.training.epoch import Epoch
from legoc.training.interrupt import Interruptions
from legoc.training.job import Job, Outcome
from legoc.training.optimise import build_optimiser
from legoc.training.record import Record
from legoc.training.schedule import Schedule, build_schedule
from legoc.training.step import Step


if TYPE_CHECKING:
    from legoc.training.ranks.chronicle import Chronicle


def fit(job: Job) -> Outcome:
    """Train, from where the run folder stands, to the end.

    Writes log.jsonl, best.safetensors and, while it lasts, resume/, which stays where the limit is
    what ended it. KeyboardInterrupt passes through after the state is saved. Raises LegoError E0550
    (loss not finite or exploded), E0551 (no rows), E0552 (monitor undefined), E0554 (state does not
    fit).
    """
    if not job.sampler.steps:
        raise fail(
            "E0551",
            "the training part of the data has no row this task can use",
            "look at what `legoc data` counts for `train`, or choose another `split` or `task`",
        )
    train = job.train
    schedule = build_schedule(train.schedule, total=train.epochs * job.updates, warmup=train.warmup)
    with Interruptions() as guard, ExitStack() as afterwards:
        optimiser = build_optimiser(job.module, train)
        afterwards.callback(optimiser.release)
        exchange = None
        if job.world.alone:
            record = Record(job, optimiser, guard)
        else:
            from legoc.training.ranks.chronicle import Chronicle
            from legoc.training.ranks.exchange import Exchange

            exchange = Exchange(job.world, job.module, optimiser)
            afterwards.callback(exchange.sums.detach, job.module)
            record = Chronicle(job, optimiser, guard, exchange)
        step = Step(
            module=job.module, loss=job.loss, optimiser=optimiser, train=train, exchange=exchange
        )
        try:
            while (reason := record.reason_to_end) is None:
                with nullcontext() if exchange is None else guard.holding():
                    make_updates(job, step, schedule, record)
                if record.position.updates < job.updates:
                    return record.enter_limit()
                record.enter_epoch()
            return record.enter_end(reason)
        except KeyboardInterrupt:
            if guard.consistent:
                record.save()
            raise
        finally:
            record.close()


def make_updates(job: Job, step: Step, schedule: Schedule, record: "Record | Chronicle") -> None:
    """The updates of the current epoch that are still to be made, as far as time allows."""
    at = record.position
    epoch = Epoch(
        number=at.epoch,
        sampler=job.sampler,
        accumulate=job.train.accumulate,
        seed=job.train.seed,
        share=(job.world.rank, job.world.size),
    )
    job.module.train()
    began = time.monotonic()
    with job.progress.task(f"epoch {at.epoch}", epoch.updates, "update") as bar:
        bar.advance(at.updates)
        for update in epoch.updates_from(epoch.updates if record.out_of_time else at.updates):
            factor = schedule.factor((epoch.number - 1) * epoch.updates + update.number)
            with record.guard.together():
                loss = step.make(update, factor, record.position.first)
                record.enter_update(loss, update.rows, factor)
            record.obey()
            rate = (record.position.rows - at.rows) / max(time.monotonic() - began, 1e-9)
            bar.advance(1, f"loss {record.position.mean_loss:.4f}  {rate:,.0f} samples/s")
            if record.out_of_time:
                break
            record.save_when_due()
