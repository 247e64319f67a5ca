"""Fastformer over a history."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.fastformer import FastformerPooling
from legoc.operators.blocks.linear import align
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "Fastformer", "Seq[Vec[d]] -> Vec[hidden]", version=2,
    paper="Wu et al., Fastformer: Additive Attention Can Be All You Need, 2021",
)  # fmt: skip
class Fastformer(nn.Module):
    """Fastformer layers over the clicks, additive attention, then a Linear.

    The cost is linear in the number of clicks. The Linear begins as the
    identity where the widths agree.
    """

    class Config(ColdSettings):
        layers: int = param(1, min=1, doc="Fastformer layers")
        heads: int = param(16, min=1, doc="attention heads")
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")

    rules = (Divides("heads", "d"),)
    example = "behavior Fastformer(heads=16)"

    def __init__(self, config: "Fastformer.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        self.encode = FastformerPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.clicks,
        )  # fmt: skip
        align(self.encode.project)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden]."""
        return self.cold(self.encode(clicks_BSD, mask_BS), mask_BS)
