"""The processes that train one model together, and how they agree.

Three groups keep three kinds of talk apart, for a late word would be taken for a gradient by
whoever waits for one: `words` (what one process has decided or found, waited for as long as it
takes), `numbers` (a few per update) and `gradients`. A process that ends closes its connections, so
the others hear of it at once.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError
from legoc.language.diagnosing.failures import diagnosed


T = TypeVar("T")
# Code, message, notes and help of each diagnostic.
Told = Sequence[tuple[str, str, Sequence[str], Sequence[str]]]

PAUSES = 0.0005, 0.05


class Lost(LegoError):
    """Another process has ended, or cannot be reached: nothing goes on without it."""


class Elsewhere(LegoError):
    """What went wrong in another process, which all of them have been told."""


@dataclass(frozen=True, kw_only=True)
class World:
    """This process as one of `size`. rank: its number, from 0; the first alone writes. local: its
    number on its machine, of `locals`. settled: errors that every process has been told, so that
    all of them go on to the next run. others: what the other processes have taken so far, `cpu` in
    seconds."""

    rank: int = 0
    size: int = 1
    local: int = 0
    locals: int = 1
    words: Any = None
    numbers: Any = None
    gradients: Any = None
    settled: list[BaseException] = field(default_factory=list[BaseException])
    others: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def alone(self) -> bool:
        return self.size == 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def once(self, work: Callable[[], T]) -> T:
        """What the first process makes, a value of JSON, for all. What goes wrong there goes wrong
        everywhere."""
        if self.alone:
            return work()
        made, error = attempt(work) if self.first else (None, None)
        value, told = self.say([made, portable(error)])
        self.settle(error, [told])
        return made if self.first else value  # type: ignore[return-value]

    def each(self, work: Callable[[], T]) -> T:
        """What every process makes for itself. Where one fails all do."""
        if self.alone:
            return work()
        made, error = attempt(work)
        self.settle(error, self.gather(portable(error)))
        return made  # type: ignore[return-value]

    def in_turn(self, work: Callable[[], T]) -> T:
        """What every process makes for itself and finds where it was made before: the first of all
        begins, then the first of each machine, then the others."""
        if self.alone:
            return work()
        made = None
        for turn in range(3):
            mine = turn == (0 if self.first else 1 if self.local == 0 else 2)
            if mine:
                made = self.each(work)
            else:
                self.each(lambda: None)
        return made  # type: ignore[return-value]

    def settle(self, error: BaseException | None, told: "Sequence[Told | None]") -> None:
        """Raise what went wrong in this process, else what any other one has told."""
        if error is None:
            found = next(((n, one) for n, one in enumerate(told) if one is not None), None)
            if found is None:
                return
            number, said = found
            error = Elsewhere(*(placed(one, number, self.size) for one in said))
        self.settled.append(error)
        raise error

    @contextmanager
    def alike(self) -> Iterator[None]:
        """A block that goes the same way in every process, also where it goes wrong."""
        try:
            yield
        except Exception as error:
            self.settled.append(error)
            raise

    def say(self, value: Any) -> Any:
        """The value of the first process, one of JSON, everywhere."""
        content = json.dumps(value).encode() if self.first else b""
        size = torch.tensor([len(content)])
        self.hear(lambda: dist.broadcast(size, 0, group=self.words, async_op=True))
        whole = as_bytes(content, int(size))
        self.hear(lambda: dist.broadcast(whole, 0, group=self.words, async_op=True))
        return value if self.first else json.loads(whole.numpy().tobytes())

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, of JSON, in their order, everywhere."""
        content = json.dumps(value).encode()
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        mine = torch.tensor([len(content)])
        self.hear(lambda: dist.all_gather(sizes, mine, group=self.words, async_op=True))
        most = max(int(size) for size in sizes)
        wholes = [torch.empty(most, dtype=torch.uint8) for _ in range(self.size)]
        own = as_bytes(content, most)
        self.hear(lambda: dist.all_gather(wholes, own, group=self.words, async_op=True))
        return [
            json.loads(whole[: int(size)].numpy().tobytes())
            for whole, size in zip(wholes, sizes, strict=True)
        ]

    def first_of(self, value: str, other: str) -> str:
        """The text of the first process that has another than `other`, and whose it is."""
        found = [(n, one) for n, one in enumerate(self.gather(value)) if one != other]
        return f"{found[0][1]}, in process {found[0][0]}" if found else other

    def hear(self, begin: Callable[[], Any]) -> None:
        """Begin to talk, and wait in small steps: in one long one no signal would be seen."""
        with reaching(self):
            work = begin()
            pause, longest = PAUSES
            while not work.is_completed():
                time.sleep(pause)
                pause = min(2 * pause, longest)
            work.wait()


ALONE = World()


@contextmanager
def reaching(world: World) -> Iterator[None]:
    """A block that talks to the other processes: E0568 where one of them cannot be reached."""
    try:
        yield
    except RuntimeError as error:
        raise lost(world, error) from error


def lost(world: World, error: Exception) -> Lost:
    why = str(error).strip().splitlines()[0].split("] ", 1)[-1].split(". ")[0]
    return Lost(
        Diagnostic(
            code="E0568",
            message=f"process {world.rank} of {world.size} has lost another one: {why}",
            help=("look for what that one has said; the same command goes on from the last state",),
        )
    )


def attempt(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return work(), None
    except Lost:
        raise
    except Exception as error:
        return None, error


def portable(error: Exception | None) -> Told | None:
    """What other processes are told of an error: text, for spans and causes stay here."""
    if error is None:
        return None
    found = diagnosed(error)
    if found:
        return tuple((one.code, one.message, one.notes, one.help) for one in found)
    message = f"{type(error).__name__}: {error}".splitlines()[0]
    return (("E0568", message, (), ("look for what it has said",)),)


def placed(
    said: tuple[str, str, Sequence[str], Sequence[str]], number: int, size: int
) -> Diagnostic:
    """A diagnostic of another process."""
    code, message, notes, help = said
    note = f"in process {number} of {size}"
    return Diagnostic(code=code, message=message, notes=(*notes, note), help=tuple(help))


def as_bytes(content: bytes, size: int) -> Tensor:
    """Bytes as a tensor of a size, zeros behind them."""
    whole = torch.zeros(size, dtype=torch.uint8)
    if content:
        whole[: len(content)] = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    return whole
