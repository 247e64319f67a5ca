"""The lightest text encoder that learns which words matter."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


@operator("content", "Additive", "Tokens -> Vec[hidden]", layout="sequence")
class Additive(nn.Module):
    """Additive attention over all tokens of an item: a learned weighted mean.

    The attributes are read as one sequence with a separator after each.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")
        dim: int = param(256, min=1, doc="inner width of the additive attention")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed embedding values")

    example = "content Additive(hidden=64)"

    def __init__(self, config: "Additive.Config", sizes: Sizes) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout)
        self.pool = AdditiveAttention(sizes.width, config.dim)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """Embedded tokens [I, L, hidden], Bool[I, L] -> [I, hidden]."""
        return self.pool(self.dropout(cleared(x_ILD, mask_IL)), mask_IL)
