"""Deep & Cross Network, second version: crosses with a full matrix."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.deep_cross import DeepCross
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DCNv2", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale "
    "Learning to Rank Systems, WWW 2021",
    facts={"dense": ["units"]},
)  # fmt: skip
class DCNv2(nn.Module):
    """Crosses of the concatenated user and candidate vectors, each with a full matrix.

    x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l. `structure=stacked` puts a perceptron over the crosses,
    `parallel` beside them over x_0, `stacked_parallel` both.
    """

    class Config:
        cross: int = param(3, min=1, doc="cross layers")
        structure: Literal["parallel", "stacked", "stacked_parallel"] = param(
            "parallel", doc="where perceptrons stand: beside the crosses, above them, or both"
        )
        units: list[int] = param(
            [1000, 1000, 1000], min=1, doc="width of each hidden layer of a perceptron"
        )
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict DCNv2(cross=3, structure=stacked, units=[1000, 1000, 1000])"

    def __init__(self, config: "DCNv2.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        self.join = DeepCross(
            MatrixCross(width, config.cross), width, structure=config.structure,
            units=config.units, dropout=config.dropout, batch_norm=config.batch_norm,
        )  # fmt: skip

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        return self.join(torch.cat([user_PD, item_PD], -1))


class MatrixCross(nn.Module):
    """x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))

    def forward(self, first_PD: Tensor) -> Tensor:
        """[P, D] -> [P, D]."""
        x_PD = first_PD
        for cross in self.crosses:
            x_PD = first_PD * cross(x_PD) + x_PD
        return x_PD
