"""Fastformer over an item's tokens."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.fastformer import FastformerPooling
from legoc.operators.sizes import Sizes


@operator(
    "content", "Fastformer", "Tokens -> Vec[hidden]", layout="sequence",
    paper="Wu et al., Fastformer: Additive Attention Can Be All You Need, 2021",
)  # fmt: skip
class Fastformer(nn.Module):
    """Fastformer layers over all tokens of an item, additive attention, then a Linear.

    The cost is linear in the number of tokens. The attributes are read as one sequence with a
    separator after each. The reference model is 256 wide.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")
        layers: int = param(1, min=1, doc="Fastformer layers")
        heads: int = param(16, min=1, doc="attention heads")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")

    rules = (Divides("heads", "hidden"),)
    example = "content Fastformer(hidden=64, heads=16)"

    def __init__(self, config: "Fastformer.Config", sizes: Sizes) -> None:
        super().__init__()
        self.encode = FastformerPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.tokens_each,
        )  # fmt: skip

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """Embedded tokens [I, L, hidden], Bool[I, L] -> [I, hidden]."""
        return self.encode(x_ILD, mask_IL)
