"""The text encoder of NRMS: self-attention over an item's tokens."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.attention import AttentionPooling, Settings
from legoc.operators.sizes import Sizes


@operator(
    "content", "Attention", "Tokens -> Vec[hidden]", layout="sequence",
    paper="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
)  # fmt: skip
class Attention(nn.Module):
    """Self-attention over all tokens of an item, then additive attention.

    The attributes are read as one sequence with a separator after each.
    """

    class Config(Settings):
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")

    rules = (Divides("heads", "hidden"),)
    example = "content Attention(hidden=64, heads=8)"

    def __init__(self, config: "Attention.Config", sizes: Sizes) -> None:
        super().__init__()
        self.encode = AttentionPooling(sizes.width, config)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """Embedded tokens [I, L, hidden], Bool[I, L] -> [I, hidden]."""
        return self.encode(x_ILD, mask_IL)
