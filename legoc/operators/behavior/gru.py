"""A recurrent reading of a history."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.masking import cleared, last_real
from legoc.operators.blocks.recurrent import GatedUnit
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "GRU", "Seq[Vec[d]] -> Vec[hidden]", version=3,
    paper="An et al., Neural News Recommendation with Long- and Short-term User Representations, "
    "ACL 2019 (its short term)",
)  # fmt: skip
class GRU(nn.Module):
    """The state of a gated recurrent unit after the newest click.

    It begins as means of the clicks over spans of many lengths where the widths agree.
    """

    class Config(ColdSettings):
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")

    example = "behavior GRU"

    def __init__(self, config: "GRU.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        self.run = GatedUnit(sizes.width, config.hidden, longest=sizes.clicks)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden].

        The whole padded length is run: the state gathered at the last real click has not seen the
        padding to its right, and a packed sequence does not export.
        """
        states_BSD, _ = self.run(cleared(clicks_BSD, mask_BS))
        return self.cold(last_real(states_BSD, mask_BS), mask_BS)
