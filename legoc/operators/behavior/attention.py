"""The user encoder of NRMS: self-attention over a history."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.attention import AttentionPooling, Settings
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.linear import align
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "Attention", "Seq[Vec[d]] -> Vec[hidden]", version=2,
    paper="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
)  # fmt: skip
class Attention(nn.Module):
    """Self-attention over the clicks, then additive attention.

    Values and output begin as the identity, so the result as a mean of the clicks, where the widths
    agree.
    """

    class Config(Settings, ColdSettings):
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")

    rules = (Divides("heads", "d"),)
    example = "behavior Attention(heads=8)"

    def __init__(self, config: "Attention.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        self.encode = AttentionPooling(sizes.width, config)
        attend = self.encode.attend
        align(attend.value, attend.output, self.encode.project)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden]."""
        return self.cold(self.encode(clicks_BSD, mask_BS), mask_BS)
