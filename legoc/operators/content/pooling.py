"""The plainest reading of an item: the mean of its embedded tokens."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.masking import masked_max, masked_mean
from legoc.operators.sizes import Sizes


@operator("content", "Pooling", "Tokens -> Vec[hidden]", layout="fields")
class Pooling(nn.Module):
    """The mean (or maximum) of each attribute's tokens, then of the attributes that have a token.

    It has no weights of its own beside the token embedding.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")
        kind: Literal["mean", "max"] = param("mean", doc="what is taken over tokens and attributes")

    example = "content Pooling(kind=mean)"

    def __init__(self, config: "Pooling.Config", sizes: Sizes) -> None:
        super().__init__()
        self.reduce = masked_mean if config.kind == "mean" else masked_max

    def forward(self, x: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """A of [I, L_a, hidden] and Bool[I, L_a], in reading order -> [I, hidden]."""
        vectors_IAD = torch.stack([self.reduce(*pair) for pair in zip(x, masks, strict=True)], 1)
        has_IA = torch.stack([mask_IL.any(1) for mask_IL in masks], 1)
        return self.reduce(vectors_IAD, has_IA)
