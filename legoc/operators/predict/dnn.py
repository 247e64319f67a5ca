"""A perceptron over user and candidate."""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DNN", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    facts={"dense": ["units"]},
)  # fmt: skip
class DNN(nn.Module):
    """A multi-layer perceptron over the concatenated user and candidate vectors."""

    class Config:
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict DNN(units=[1000, 1000, 1000])"

    def __init__(self, config: "DNN.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        self.mlp = MLP(width, config.units, config.dropout, batch_norm=config.batch_norm)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        return self.mlp(torch.cat([user_PD, item_PD], -1))
