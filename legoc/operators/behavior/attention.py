"""The user encoder of NRMS: self-attention over a history."""

from torch import Tensor, nn

from legoc.language.declare import Divides, operator, param
from legoc.operators.blocks.attention import AttentionPooling
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "Attention", "Seq[Vec[d]] -> Vec[hidden]",
    paper="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
)  # fmt: skip
class Attention(nn.Module):
    """Self-attention over the clicks, then additive attention.

    An empty history is the zero vector.
    """

    class Config:
        heads: int = param(8, min=1, doc="attention heads")
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")
        dim: int = param(256, min=1, doc="inner width of the additive attention")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values of the click vectors")
        project: bool = param(
            True, since=True,
            doc="project the heads' output; false: queries, keys and values alone, as in the "
            "papers of Wu et al.",
        )  # fmt: skip

    rules = (Divides("heads", "d"),)
    example = "behavior Attention(heads=8)"

    def __init__(self, config: "Attention.Config", sizes: Sizes) -> None:
        super().__init__()
        self.encode = AttentionPooling(
            width=sizes.width, hidden=config.hidden, heads=config.heads, dim=config.dim,
            dropout=config.dropout, project=config.project,
        )  # fmt: skip

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden]."""
        return self.encode(clicks_BSD, mask_BS)
