"""The inner product of user and candidate."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator
from legoc.operators.sizes import Sizes


@operator("predict", "Dot", "(Vec[d], Vec[d]) -> Score", tasks=("matching", "ranking"))
class Dot(nn.Module):
    """The inner product of the user vector and the candidate vector."""

    class Config:
        pass

    example = "predict Dot"

    def __init__(self, config: "Dot.Config", sizes: Sizes) -> None:
        super().__init__()

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        return (user_PD * item_PD).sum(-1)
