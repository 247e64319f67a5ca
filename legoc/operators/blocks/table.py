"""Tables of learned vectors, and what training keeps of one: the rows it has read.

A batch reads a few rows of a table, and an optimiser that walks through all of it, or a gradient as
large as it, makes the cost of a step that of the catalogue. Letters: V rows of the table, n rows
that training has read, R rows that are read at once, D width.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Table(nn.Embedding):
    """`torch.nn.Embedding` whose row 0 is padding, zero and never trained.

    While an optimiser has it `reading`, it is trained through `ReadRows`, and `weight` lags behind
    until somebody asks: an evaluation, the state of the module, or `settle`.
    """

    def __init__(self, rows: int, width: int) -> None:
        super().__init__(rows, width, padding_idx=0)
        self.reading: ReadRows | None = None

    def forward(self, ids: Tensor) -> Tensor:
        """Integer ids [...] -> [..., D]."""
        if self.reading is not None and torch.is_grad_enabled():
            places_R = self.reading.places(ids.flatten().long())
            return Lookup.apply(self.weight, self.reading, places_R).unflatten(0, ids.shape)  # type: ignore[no-any-return, union-attr]
        self.settle()
        return functional.embedding(ids, self.weight, self.padding_idx)

    def settle(self) -> None:
        """Bring `weight` to what training has made of it."""
        if self.reading is not None:
            self.reading.settle()

    def _save_to_state_dict(self, *args: Any) -> None:  # type: ignore[override]
        self.settle()
        super()._save_to_state_dict(*args)

    def _load_from_state_dict(self, *args: Any) -> None:  # type: ignore[override]
        super()._load_from_state_dict(*args)
        if self.reading is not None:
            self.reading.take()


class ReadRows:
    """The rows of a table that training has read, in the order of their first reading, with their
    values and their gradients side by side.

    A row that was never read has had no gradient, so it has no moments either, and no optimiser
    here moves it: whoever updates `values[:count]` updates the table. Memory is reserved for every
    row and taken, page by page, as rows are read.

    rows I64[V], values, gradient F[V, D]: as far as `count`, and so is what an optimiser has
    `beside` them, which is zero for a row as it is taken in; what is `behind` them begins as their
    values. place I64[V]: where a row stands, -1
    for one that was not read. read: the places of the gradients since the last `clear`.
    """

    def __init__(self, table: Table) -> None:
        self.weight = table.weight
        size, device = len(self.weight), self.weight.device
        self.place = torch.full((size,), -1, dtype=torch.int64, device=device)
        self.rows = torch.empty(size, dtype=torch.int64, device=device)
        self.values = torch.empty_like(self.weight, requires_grad=False)
        self.gradient = torch.empty_like(self.values)
        self.beside: dict[str, Tensor] = {}
        self.behind: Tensor | None = None
        self.count = 0
        self.read: list[Tensor] = []
        self.lagging = False
        # Row 0 comes first, so that its place is known.
        self.admit(torch.zeros(1, dtype=torch.int64, device=device))

    def places(self, rows_R: Tensor) -> Tensor:
        """I64[R]: where rows stand; those that were not read before are taken in, in rising order,
        which does not depend on where the batch has them."""
        places_R = self.place.index_select(0, rows_R)
        if len(places_R) and int(places_R.min()) < 0:
            self.admit(torch.unique(rows_R[places_R < 0]))
            places_R = self.place.index_select(0, rows_R)
        return places_R

    def admit(self, rows_R: Tensor) -> None:
        """Take in distinct rows that are not there yet."""
        first, self.count = self.count, self.count + len(rows_R)
        self.rows[first : self.count] = rows_R
        self.place[rows_R] = torch.arange(first, self.count, device=rows_R.device)
        with torch.no_grad():
            self.values[first : self.count] = self.weight.index_select(0, rows_R)
            for whole in (self.gradient, *self.beside.values()):
                whole[first : self.count] = 0.0
            if self.behind is not None:
                self.behind[first : self.count] = self.values[first : self.count]

    def forget(self, count: int) -> None:
        """As before all but the first `count` rows were read, none of which has been moved."""
        self.place[self.rows[count : self.count]] = -1
        self.count = count

    def keep(self, name: str) -> Tensor:
        """F[V, D]: what stands `beside` the values under a name, zeros at first."""
        if name not in self.beside:
            self.beside[name] = torch.empty_like(self.values)
            self.beside[name][: self.count] = 0.0
        return self.beside[name]

    def follow(self) -> None:
        """Have something `behind` the values from now on."""
        self.behind = torch.empty_like(self.values)
        self.behind[: self.count] = self.values[: self.count]

    def add(self, places_R: Tensor, gradient_RD: Tensor) -> None:
        """Gradients of what was read."""
        self.gradient.index_add_(0, places_R, gradient_RD)
        self.gradient[0] = 0.0
        self.read.append(places_R)

    def places_read(self) -> Tensor:
        """The distinct places that have gradients, rising."""
        return torch.unique(torch.cat(self.read))

    def clear(self) -> None:
        """No gradients any more."""
        for places_R in self.read:
            self.gradient.index_fill_(0, places_R, 0.0)
        self.read.clear()

    def settle(self) -> None:
        """Bring the table to the values here."""
        if self.lagging:
            with torch.no_grad():
                self.weight.index_copy_(0, self.rows[: self.count], self.values[: self.count])
            self.lagging = False

    @property
    def followed(self) -> Tensor:
        """F[n, D]: what is behind the values, after `follow`."""
        if self.behind is None:
            raise RuntimeError("nothing is behind the values")
        return self.behind[: self.count]

    def show(self) -> None:
        """Bring the table to what is behind the values, until `hide`; nothing trains meanwhile."""
        with torch.no_grad():
            self.weight.index_copy_(0, self.rows[: self.count], self.followed)
        self.lagging = False

    def hide(self) -> None:
        """Bring the table back to the values after `show`."""
        self.lagging = True
        self.settle()

    def take(self) -> None:
        """Bring the values here to those of the table."""
        with torch.no_grad():
            self.values[: self.count] = self.weight.index_select(0, self.rows[: self.count])
        self.lagging = False

    def restore(self, rows: Tensor, beside: Mapping[str, Tensor]) -> None:
        """Stand as after reading these rows in this order, with the values of the table, and with
        these beside them."""
        self.place.fill_(-1)
        self.count = 0
        self.admit(rows)
        for name, value in beside.items():
            self.keep(name)[: self.count] = value
        self.lagging = False


class Lookup(torch.autograd.Function):
    """Rows of a table, whose gradients go to `ReadRows` and not into one as large as the table."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, reading: ReadRows, places_R: Tensor) -> Tensor:  # type: ignore[override]
        ctx.reading, ctx.places_R = reading, places_R
        return reading.values.index_select(0, places_R)

    @staticmethod
    def backward(ctx: Any, gradient_RD: Tensor) -> tuple[None, None, None]:  # type: ignore[override]
        ctx.reading.add(ctx.places_R, gradient_RD)
        return None, None, None
