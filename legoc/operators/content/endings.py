"""How the states of a language model become the vector of an item.

Letters: I any number of items, L tokens, W width of the language model, K layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.masking import cleared, last_real, masked_mean
from legoc.operators.side import IISAN


class End:
    """Called with states and a mask, gives vectors [I, hidden], zero where nothing is real. Its
    modules belong to who calls it, by the names of the fields: they name the stored weights."""

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """The modules among its fields."""
        return ((name, part) for name, part in vars(self).items() if isinstance(part, nn.Module))

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AttentionEnd(End):
    """Linear → dropout → attention over the tokens."""

    project: nn.Module
    attend: nn.Module
    dropout: nn.Module

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """Last states [I, L, W], Bool[I, L] -> [I, hidden]."""
        return self.attend(self.dropout(self.project(cleared(states, mask))), mask)


@dataclass(frozen=True, kw_only=True)
class PooledEnd(End):
    """`cls`, `mean` or `last`, then Linear → dropout."""

    how: str
    project: nn.Module
    dropout: nn.Module

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """Last states [I, L, W], Bool[I, L] -> [I, hidden]."""
        x_ID = self.dropout(self.project(pool_states(self.how, states, mask)))
        return x_ID.masked_fill(~mask.any(1, keepdim=True), 0.0)


@dataclass(frozen=True, kw_only=True)
class BareEnd(End):
    """`cls`, `mean` or `last` alone: an item has the model's own width."""

    how: str

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """Last states [I, L, W], Bool[I, L] -> [I, W]."""
        x_IW = pool_states(self.how, states, mask)
        return x_IW.masked_fill(~mask.any(1, keepdim=True), 0.0)


@dataclass(frozen=True, kw_only=True)
class SideEnd(End):
    """A side network → dropout."""

    side: nn.Module
    dropout: nn.Module

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """Pooled states of layers [I, K, W], Bool[I, 1] -> [I, hidden]."""
        return self.dropout(self.side(states)).masked_fill(~mask, 0.0)


def end_with(config: Any, backbone: Backbone) -> End:
    """The end that settings ask for."""
    dropout, width = Dropout(config.dropout), backbone.made
    if config.side is not None:
        settings: Any = IISAN
        side = IISAN(
            settings.Config(**config.side.args), layers=backbone.count, width=backbone.width,
            hidden=config.hidden,
        )  # fmt: skip
        return SideEnd(side=side, dropout=dropout)
    if config.pooling == "attention":
        project = PlainLinear(width, config.hidden)
        attend = AdditiveAttention(config.hidden, config.dim)
        return AttentionEnd(project=project, attend=attend, dropout=dropout)
    if config.hidden == width:
        return BareEnd(how=config.pooling)
    return PooledEnd(how=config.pooling, project=PlainLinear(width, config.hidden), dropout=dropout)


def pool_states(how: str, states_ILW: Tensor, mask_IL: Tensor) -> Tensor:
    """[I, L, W] -> [I, W]: the first state, the mean, or the last real one."""
    if how == "mean":
        return masked_mean(states_ILW, mask_IL)
    if how == "last":
        return last_real(states_ILW, mask_IL)
    return cleared(states_ILW, mask_IL)[:, 0]
