"""The mean of the weights over the latest updates: it is what is measured, stored and exported.

An optimiser's steps go around what they look for, by about as much as the learning rate; their mean
lies nearer, and learns less by heart (Polyak and Juditsky 1992; Izmailov et al. 2018).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from legoc.model.tables import ReadRows, find_tables
from legoc.model.weights import own_tensors


# Early on the mean reaches over the last part of the updates alone, one in so many: the first ones
# are far from anything.
YOUNG = 9
# Weights are taken in so many times within the span; more often costs time and changes nothing.
FOLDS = 30


class Average:
    """An exponential mean of the weights (and running statistics) of a module, with a span of
    `span` updates; 1 is the weights themselves, and costs nothing.

    Of a table that an optimiser holds by the rows that were read, these have a mean behind them:
    that of any other row is the row. Until `YOUNG * span` updates are made the span is shorter.
    What it does at an update depends on the number of that update alone, so a training that goes on
    needs nothing but the tensors.
    """

    def __init__(self, module: nn.Module, span: int) -> None:
        self.span = span
        self.tables: Mapping[str, ReadRows] = held(module) if span > 1 else {}
        moved = moving(module).items() if span > 1 else ()
        self.current = {name: value for name, value in moved if name not in self.tables}
        self.means = {name: value.detach().clone() for name, value in self.current.items()}
        for reading in self.tables.values():
            reading.follow()

    @property
    def moved(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each mean with what it is the mean of."""
        for name, value in self.current.items():
            yield self.means[name], value
        for reading in self.tables.values():
            yield reading.followed, reading.values[: reading.count]

    @torch.no_grad()
    def enter(self, made: int) -> None:
        """Take in the weights as they stand behind the update of this number, from 1."""
        reach = min(float(self.span), 1.0 + made / YOUNG)
        every = max(1, int(reach / FOLDS))
        if self.span == 1 or made % every:
            return
        for mean, value in self.moved:
            mean.lerp_(value, min(1.0, every / reach))

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The module has the mean for its weights as long as this lasts."""
        for reading in self.tables.values():
            reading.show()
        self.swap()
        try:
            yield
        finally:
            self.swap()
            for reading in self.tables.values():
                reading.hide()

    def swap(self) -> None:
        for name, value in self.current.items():
            value.data, self.means[name].data = self.means[name].data, value.data

    def tensors(self) -> dict[str, Tensor]:
        """The means by name; of a table that is held by its rows those of the rows that were read,
        and which these are as `<name>/rows`."""
        found = dict(self.means)
        for name, reading in self.tables.items():
            found |= {name: reading.followed, f"{name}/rows": reading.rows[: reading.count]}
        return found

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state given by `tensors`, here or where a table was held otherwise, after the
        weights and the optimiser that go with it. Raises KeyError where names differ, RuntimeError
        where shapes do."""
        given = {name: value for name, value in tensors.items() if not name.endswith("/rows")}
        for name in self.means.keys() | self.tables.keys() | given.keys():
            rows, reading = tensors.get(f"{name}/rows"), self.tables.get(name)
            value = given[name]
            if reading is not None:
                own = reading.rows[: reading.count]
                reading.followed.copy_(value if rows is not None else value[own.to(value.device)])
            elif rows is not None:
                mean = self.means[name]
                mean.copy_(self.current[name])
                mean.index_copy_(0, rows.to(mean.device), value.to(mean.device))
            else:
                self.means[name].copy_(value)


def held(module: nn.Module) -> dict[str, ReadRows]:
    """The tables of a module of which an optimiser holds the rows that were read."""
    tables = find_tables(module).items()
    return {name: table.reading for name, table in tables if table.reading is not None}


def moving(module: nn.Module) -> dict[str, Tensor]:
    """The tensors of a module that training moves, each once, as they are (not copies): what trains
    and the running statistics."""
    own = own_tensors(module)
    parameters = {n: p for n, p in module.named_parameters() if p.requires_grad}
    buffers = {
        name: value
        for name, value in module.named_buffers()
        if name in own and value.is_floating_point()
    }
    return parameters | buffers
