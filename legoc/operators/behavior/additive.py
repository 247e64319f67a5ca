"""The user encoder of NAML: additive attention over a history."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "Additive", "Seq[Vec[d]] -> Vec[d]",
    paper="Wu et al., Neural News Recommendation with Attentive Multi-View Learning, IJCAI 2019",
)  # fmt: skip
class Additive(nn.Module):
    """A learned weighted mean of the click vectors."""

    class Config(ColdSettings):
        dim: int = param(256, min=1, doc="inner width of the additive attention")

    example = "behavior Additive(dim=256)"

    def __init__(self, config: "Additive.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, sizes.width)
        self.pool = AdditiveAttention(sizes.width, config.dim)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, D]."""
        return self.cold(self.pool(cleared(clicks_BSD, mask_BS), mask_BS), mask_BS)
