"""A small transformer over a history."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.encoder import EncoderPooling
from legoc.operators.blocks.linear import align
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "Transformer", "Seq[Vec[d]] -> Vec[hidden]", version=2,
    paper="Vaswani et al., Attention Is All You Need, NeurIPS 2017; blocks as in Devlin et al., "
    "BERT, NAACL 2019",
)  # fmt: skip
class Transformer(nn.Module):
    """Transformer blocks over the clicks, a Linear, then additive attention.

    With learned positions; the oldest click is the first. The Linear begins as the
    identity where the widths agree.
    """

    class Config(ColdSettings):
        layers: int = param(3, min=1, doc="transformer blocks")
        heads: int = param(8, min=1, doc="attention heads")
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")

    rules = (Divides("heads", "d"),)
    example = "behavior Transformer(layers=3, heads=8)"

    def __init__(self, config: "Transformer.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        self.encode = EncoderPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.clicks,
        )  # fmt: skip
        align(self.encode.encode.project)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden]."""
        return self.cold(self.encode(clicks_BSD, mask_BS), mask_BS)
