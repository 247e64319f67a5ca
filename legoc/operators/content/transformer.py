"""A small transformer over an item's tokens."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.encoder import EncoderPooling
from legoc.operators.sizes import Sizes


@operator(
    "content", "Transformer", "Tokens -> Vec[hidden]", layout="sequence",
    paper="Vaswani et al., Attention Is All You Need, NeurIPS 2017; blocks as in Devlin et al., "
    "BERT, NAACL 2019",
)  # fmt: skip
class Transformer(nn.Module):
    """Transformer blocks over all tokens of an item, a Linear, then additive attention.

    Trained from nothing, with learned positions; the attributes are read as one sequence with a
    separator after each. The inner width of a block is four times `hidden`.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")
        layers: int = param(3, min=1, doc="transformer blocks")
        heads: int = param(8, min=1, doc="attention heads")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")

    rules = (Divides("heads", "hidden"),)
    example = "content Transformer(hidden=64, layers=3, heads=8)"

    def __init__(self, config: "Transformer.Config", sizes: Sizes) -> None:
        super().__init__()
        self.encode = EncoderPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.tokens_each,
        )  # fmt: skip

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """Embedded tokens [I, L, hidden], Bool[I, L] -> [I, hidden]."""
        return self.encode(x_ILD, mask_IL)
