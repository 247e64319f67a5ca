"""The mean of the weights over the latest updates: it is what is measured, stored and exported.

An optimiser's steps go around what they look for, by about as much as the learning rate; their mean
lies nearer, and learns less by heart (Polyak and Juditsky 1992; Izmailov et al. 2018).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from legoc.model.weights import own_tensors


# Early on the mean reaches over the last part of the updates alone, one in so many: the first ones
# are far from anything.
YOUNG = 9
# Weights are taken in so many times within the span; more often costs time and changes nothing.
FOLDS = 30


class Average:
    """An exponential mean of the weights (and running statistics) of a module, with a span of
    `span` updates; 1 is the weights themselves, and costs nothing.

    Until `YOUNG * span` updates are made the span is shorter. What it does at an update depends on
    the number of that update alone, so a training that goes on needs nothing but the tensors.
    """

    def __init__(self, module: nn.Module, span: int) -> None:
        self.span = span
        self.current: Mapping[str, Tensor] = moving(module) if span > 1 else {}
        self.tensors = {name: value.detach().clone() for name, value in self.current.items()}

    @torch.no_grad()
    def enter(self, made: int) -> None:
        """Take in the weights as they stand behind the update of this number, from 1."""
        reach = min(float(self.span), 1.0 + made / YOUNG)
        every = max(1, int(reach / FOLDS))
        if not self.tensors or made % every:
            return
        for name, value in self.tensors.items():
            value.lerp_(self.current[name], min(1.0, every / reach))

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The module has the mean for its weights as long as this lasts."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def swap(self) -> None:
        for name, value in self.current.items():
            value.data, self.tensors[name].data = self.tensors[name].data, value.data

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state given by `tensors`. Raises KeyError where names differ, RuntimeError
        where shapes do."""
        with torch.no_grad():
            for name in self.tensors.keys() | tensors.keys():
                self.tensors[name].copy_(tensors[name])


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
