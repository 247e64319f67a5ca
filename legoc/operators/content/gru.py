"""A recurrent reading of an item."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.masking import cleared, last_real
from legoc.operators.blocks.recurrent import GatedUnit
from legoc.operators.sizes import Sizes


@operator("content", "GRU", "Tokens -> Vec[hidden]", version=2, layout="sequence")
class GRU(nn.Module):
    """The state of a gated recurrent unit after an item's last token.

    The attributes are read as one sequence with a separator after each.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of an item vector")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed embedding values")

    example = "content GRU(hidden=64)"

    def __init__(self, config: "GRU.Config", sizes: Sizes) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout)
        self.run = GatedUnit(sizes.width, config.hidden)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """Embedded tokens [I, L, hidden], Bool[I, L] -> [I, hidden].

        The whole padded length is run: the state gathered at the last real token has not seen the
        padding to its right, and a packed sequence does not export.
        """
        states_ILD, _ = self.run(self.dropout(cleared(x_ILD, mask_IL)))
        return last_real(states_ILD, mask_IL)
