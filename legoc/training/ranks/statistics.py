"""Statistics of a batch that several processes share: BatchNorm's and Dice's are those of all its
rows, so that a model trains as if one process had them."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from legoc.training.ranks.world import World, reaching


class Sums:
    """Sums of a tensor over all processes. counts: 0 while this one has no row of the batch, so
    that what it computes for form's sake is left out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counts = 1.0

    def attach(self, module: nn.Module) -> None:
        """Let the parts of a model that have statistics of a batch take them over all processes."""
        for part in module.modules():
            if hasattr(type(part), "across"):
                part.across = self.sum  # type: ignore[assignment]

    def detach(self, module: nn.Module) -> None:
        for part in module.modules():
            if hasattr(type(part), "across"):
                part.across = None  # type: ignore[assignment]

    def sum(self, given: Tensor) -> Tensor:
        with reaching(self.world):
            return Summed.apply(given * self.counts, self.world)  # type: ignore[no-any-return]


class Summed(torch.autograd.Function):
    """The sum over all processes. The loss is the sum of their losses, so a gradient is one too."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, world: World) -> Tensor:
        ctx.world = world
        whole = given.clone()
        dist.all_reduce(whole, group=world.gradients)
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        whole = gradient.clone()
        dist.all_reduce(whole, group=ctx.world.gradients)
        return whole, None
