"""What processes that share a batch tell each other in every update: numbers, then gradients.

Every process adds up the same sums in the same order, so their weights stay equal to the bit and
nobody has to send any. Letters: R rows of a table that a batch has read, D width.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from legoc.model.tables import ReadRows, find_tables
from legoc.training.moving import Held
from legoc.training.optimise import Optimiser
from legoc.training.ranks.statistics import Sums
from legoc.training.ranks.world import World, portable, reaching


# Gradients travel in blocks of so many values: 32 MiB of float32.
BLOCK = 8 << 20
# A table on a GPU, whose gradient is as large as it is, sends rows alone from this size on.
LARGE = 1 << 18
HEAD = 4


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What an update has told. losses: of each batch, over the rows of all processes. stop: the
    signal that one of them has been sent, 0 where none was. seconds: by the clock of the first.
    cpu: processor seconds of all others."""

    losses: tuple[float, ...]
    stop: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a table that this process has gradients of: I64[R], F[R, D]."""

    rows_R: Tensor
    values_RD: Tensor


class Exchange:
    """Sums of one model's gradients over the processes of a world. sums: those of statistics."""

    def __init__(self, world: World, module: nn.Module, optimiser: Optimiser) -> None:
        self.world = world
        self.optimiser = optimiser
        self.sums = Sums(world)
        self.sums.attach(module)
        # Large tables that are not held by rows: their gradients are dense, their rows few.
        tables = find_tables(module)
        self.wide = {
            name: held
            for name, held in optimiser.names.items()
            if held.reading is None and name in tables and held.parameter.numel() >= LARGE
        }
        self.read = {n: h.reading for n, h in optimiser.names.items() if h.reading is not None}
        self.known = {name: reading.count for name, reading in self.read.items()}
        # What this process tells with its next numbers, brought up to date by `note`.
        self.note: Callable[[], None] = lambda: None
        self.stop, self.seconds = 0, 0.0
        self.broken: Exception | None = None
        self.began = time.process_time()
        self.heard = Heard(losses=())

    def begin(self, note: Callable[[], None]) -> None:
        """Take the rows of tables as they are now for those of all processes."""
        self.note = note
        self.known = {name: reading.count for name, reading in self.read.items()}

    def tell(self, losses: Sequence[float]) -> Heard:
        """Tell the losses of this process, each in its share of its batch, and hear those of all.
        Where a process has failed all of them fail; else their gradients are not added up yet."""
        world = self.world
        found = self.find_rows() if self.broken is None else {}
        self.note()
        given = torch.tensor([
            float(self.broken is not None), float(self.stop), self.seconds,
            time.process_time() - self.began, *losses,
            *(float(held.gradient is not None) for held in self.optimiser.names.values()),
            *(float(len(found[name].rows_R)) if name in found else 0.0 for name in self.sparse),
        ], dtype=torch.float64)  # fmt: skip
        all_ = [torch.empty_like(given) for _ in range(world.size)]
        with reaching(world):
            dist.all_gather(all_, given, group=world.numbers)
        self.told = torch.stack(all_)
        self.found = found
        if bool(self.told[:, 0].any()):
            world.settle(self.broken, world.gather(portable(self.broken)))
        lost = self.told[:, HEAD : HEAD + len(losses)].sum(0)
        self.heard = Heard(
            losses=tuple(lost.tolist()),
            stop=int(self.told[:, 1].max()),
            seconds=float(self.told[0, 2]),
            cpu=float(self.told[:, 3].sum() - self.told[world.rank, 3]),
        )
        world.others["cpu"] = self.heard.cpu
        return self.heard

    @property
    def sparse(self) -> list[str]:
        """The tables that send rows, by name."""
        return [*self.read, *self.wide]

    def find_rows(self) -> dict[str, Rows]:
        """The rows of tables that have gradients here."""
        found: dict[str, Rows] = {}
        for name, reading in self.read.items():
            if reading.read:
                places_R = reading.places_read()
                found[name] = Rows(
                    rows_R=reading.rows[places_R], values_RD=reading.gradient[places_R]
                )
        for name, held in self.wide.items():
            if held.parameter.grad is not None:
                rows_R = (held.parameter.grad != 0).any(1).nonzero().flatten()
                found[name] = Rows(rows_R=rows_R, values_RD=held.parameter.grad[rows_R])
        return found

    @torch.no_grad()
    def add_up(self) -> None:
        """Make the gradients here those of all processes together; they have been told of."""
        losses = len(self.heard.losses)
        names = list(self.optimiser.names)
        has = self.told[:, HEAD + losses : HEAD + losses + len(names)].any(0).tolist()
        with_any = {name for name, one in zip(names, has, strict=True) if one}
        counts = self.told[:, HEAD + losses + len(names) :].long()
        with reaching(self.world):
            for place, name in enumerate(self.sparse):
                if name in with_any:
                    parts = self.gather_rows(name, counts[:, place].tolist())
                    if name in self.read:
                        self.put_read(name, self.read[name], parts)
                    else:
                        put_wide(self.wide[name], parts)
            dense = [
                held
                for name, held in self.optimiser.names.items()
                if name in with_any and name not in self.read and name not in self.wide
            ]
            self.sum_dense(dense)

    def gather_rows(self, name: str, counts: list[int]) -> list[Rows]:
        """The rows of a table from every process, which has so many of them."""
        like = self.optimiser.names[name].parameter
        most = max(max(counts), 1)
        own = self.found.get(name)
        rows = torch.zeros(most, dtype=torch.int64, device=like.device)
        values = like.new_zeros(most, like.shape[1])
        if own is not None:
            rows[: len(own.rows_R)] = own.rows_R
            values[: len(own.rows_R)] = own.values_RD
        every_rows = [torch.empty_like(rows) for _ in counts]
        every_values = [torch.empty_like(values) for _ in counts]
        dist.all_gather(every_rows, rows, group=self.world.gradients)
        dist.all_gather(every_values, values, group=self.world.gradients)
        return [
            Rows(rows_R=rows[:count], values_RD=values[:count])
            for rows, values, count in zip(every_rows, every_values, counts, strict=True)
        ]

    def put_read(self, name: str, reading: ReadRows, parts: list[Rows]) -> None:
        """Let a table hold the rows that any process has read, taken in in the same order in all
        of them, with the sums of their gradients."""
        reading.clear()
        reading.forget(self.known[name])
        reading.places(torch.cat([part.rows_R for part in parts]))
        for part in parts:
            if len(part.rows_R):
                reading.add(reading.places(part.rows_R), part.values_RD)
        self.known[name] = reading.count

    def sum_dense(self, held: list[Held]) -> None:
        """Sum whole gradients in blocks; one that is lacking here counts as zeros."""
        for one in held:
            if one.parameter.grad is None:
                one.parameter.grad = torch.zeros_like(one.parameter)
        for block in blocks([one.parameter for one in held]):
            gradients = [p.grad for p in block if p.grad is not None]
            whole = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(whole, group=self.world.gradients)
            sizes = [gradient.numel() for gradient in gradients]
            for gradient, part in zip(gradients, whole.split(sizes), strict=True):
                gradient.copy_(part.reshape(gradient.shape))


def put_wide(held: Held, parts: list[Rows]) -> None:
    """The same for a table with a whole gradient."""
    whole = held.parameter.grad
    if whole is None:
        held.parameter.grad = whole = torch.zeros_like(held.parameter)
    whole.zero_()
    for part in parts:
        # The rows of a part are distinct, so no order of adding them is left open.
        whole.index_add_(0, part.rows_R, part.values_RD)


def blocks(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Parameters of one type each, some at a time."""
    alike: dict[torch.dtype, list[nn.Parameter]] = {}
    for parameter in parameters:
        alike.setdefault(parameter.dtype, []).append(parameter)
    for some in alike.values():
        block: list[nn.Parameter] = []
        size = 0
        for parameter in some:
            if block and size + parameter.numel() > BLOCK:
                yield block
                block, size = [], 0
            block.append(parameter)
            size += parameter.numel()
        yield block
