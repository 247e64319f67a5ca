"""The clicks themselves, for predictors that read them."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


@operator("behavior", "Null", "Seq[T] -> Seq[T]")
class Null(nn.Module):
    """Passes the clicks through, for predictors that read them together with the candidate.

    There is no user vector then, and no user graph: a pair gathers its clicks from the item matrix.
    """

    class Config:
        pass

    example = "behavior Null"

    def __init__(self, config: "Null.Config", sizes: Sizes) -> None:
        super().__init__()

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, S, D], zero at padding."""
        return cleared(clicks_BSD, mask_BS)
