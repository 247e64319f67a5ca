"""The record of a training by several processes: the first keeps it, the others know as much."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from legoc.model.weights import load_own, own_tensors
from legoc.training.interrupt import Interruptions, stop_of
from legoc.training.job import Job, Outcome
from legoc.training.optimise import Optimiser
from legoc.training.position import Position, Reason
from legoc.training.ranks.exchange import Exchange
from legoc.training.ranks.world import World, reaching
from legoc.training.record import Record


class Chronicle:
    """What `Record` is to one process, for each of several. What it decides is decided by the first
    and told; only that one has a log and files."""

    def __init__(
        self, job: Job, optimiser: Optimiser, guard: Interruptions, exchange: Exchange
    ) -> None:
        self.job, self.guard, self.exchange = job, guard, exchange
        self.world = job.world
        self.own: Record | None = None
        self.position = Position()
        self.given_up = False

        def begin() -> None:
            self.own = Record(job, optimiser, guard)

        self.decide(begin)
        share_state(job, optimiser)
        exchange.begin(self.note)

    def decide(self, work: Callable[[], Outcome | None]) -> Outcome | None:
        """What the first process does, and where the training stands afterwards, everywhere."""

        def whole() -> list[Any]:
            end = work()
            own = self.record
            return [end and asdict(end), asdict(own.position), own.given_up]

        end, position, self.given_up = self.world.once(whole)
        self.position = Position(**position)
        return end and Outcome(**end)

    @property
    def out_of_time(self) -> bool:
        return self.position.out_of_time(self.job.train)

    @property
    def reason_to_end(self) -> Reason | None:
        found = self.position.reason_to_end(self.job.train, self.job.updates)
        return "hopeless" if found is None and self.given_up else found

    def enter_update(self, loss: float, rows: int, factor: float) -> None:
        """An update that all have made. What goes wrong while it is written down is told with the
        next one."""
        seconds = self.exchange.heard.seconds
        self.position = self.position.after_update(loss=loss, rows=rows, seconds=seconds)
        self.try_to(lambda own: own.enter_update(loss, rows, factor, seconds))

    def obey(self) -> None:
        """Stop where any process has been sent a signal, all behind the same update."""
        number = self.exchange.heard.stop
        if number:
            self.guard.pending = None
            raise stop_of(number)

    def note(self) -> None:
        """Let the numbers tell what is so by now in this process."""
        self.exchange.stop = self.guard.latest or 0
        self.exchange.seconds = 0.0 if self.own is None else self.own.seconds

    def save_when_due(self) -> None:
        self.try_to(lambda own: own.save_when_due())

    def try_to(self, work: Callable[[Record], None]) -> None:
        """What the first process does by itself; where it fails, the next numbers tell it."""
        if self.own is None:
            return
        try:
            work(self.own)
        except Exception as error:
            self.exchange.broken = error

    def enter_epoch(self) -> None:
        self.verify_told()
        self.decide(lambda: self.record.enter_epoch())

    def enter_limit(self) -> Outcome:
        self.verify_told()
        return ended(self.decide(lambda: self.record.enter_limit()))

    def enter_end(self, reason: Reason) -> Outcome:
        return ended(self.decide(lambda: self.record.enter_end(reason)))

    def verify_told(self) -> None:
        """Fail here with what no further numbers will tell."""
        broken, self.exchange.broken = self.exchange.broken, None

        def work() -> None:
            if broken is not None:
                raise broken

        self.world.once(work)

    @property
    def record(self) -> Record:
        assert self.own is not None
        return self.own

    def save(self) -> None:
        if self.own is not None:
            self.own.save()

    def close(self) -> None:
        if self.own is not None:
            self.own.log.close()


def ended(end: Outcome | None) -> Outcome:
    assert end is not None
    return end


def share_state(job: Job, optimiser: Optimiser) -> None:
    """Bring model and optimiser of every process to those of the first: a state lies on its disk
    alone, and another machine may begin with other bits."""
    world, module = job.world, job.module
    weights = share_tensors(world, own_tensors(module))
    state = share_tensors(world, optimiser.tensors())
    if not world.first:
        load_own(module, weights)
        optimiser.load(state)


def share_tensors(world: World, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the first process, on the CPU."""
    told = [
        (name, list(value.shape), str(value.dtype).removeprefix("torch."))
        for name, value in tensors.items()
    ]
    made: dict[str, Tensor] = {}
    for name, shape, kind in world.say(told):
        if world.first:
            made[name] = tensors[name].detach().cpu().contiguous()
        else:
            made[name] = torch.empty(shape, dtype=getattr(torch, kind))
        if made[name].numel():
            with reaching(world):
                flat = made[name].reshape(-1).view(torch.uint8)
                dist.broadcast(flat, 0, group=world.numbers)
    return made
