"""The mean of a history."""

from typing import Literal

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.masking import masked_max, masked_mean
from legoc.operators.sizes import Sizes


@operator("behavior", "Pooling", "Seq[Vec[d]] -> Vec[d]")
class Pooling(nn.Module):
    """The mean (or maximum) of the click vectors."""

    class Config(ColdSettings):
        kind: Literal["mean", "max"] = param("mean", doc="what is taken over the clicks")

    example = "behavior Pooling(kind=mean)"

    def __init__(self, config: "Pooling.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, sizes.width)
        self.reduce = masked_mean if config.kind == "mean" else masked_max

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, D]."""
        return self.cold(self.reduce(clicks_BSD, mask_BS), mask_BS)
