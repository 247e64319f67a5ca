"""Product-based Neural Network."""

import torch
from torch import Tensor, nn

from legoc.language.declare import operator, param
from legoc.operators.blocks.fields import FIELDS, FieldPairs, stacked
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "PNN", "(Vec[d], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Qu et al., Product-based Neural Networks for User Response Prediction, ICDM 2016",
)  # fmt: skip
class PNN(nn.Module):
    """A perceptron over user, candidate and their inner product.

    The form of most later comparisons, MLP([e_1 … e_F; <e_i, e_j>]). The original weighs the
    products by a factorised matrix first (unconfirmed); that form is left out.
    """

    class Config:
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")

    example = "predict PNN(units=[1000, 1000, 1000])"

    def __init__(self, config: "PNN.Config", sizes: Sizes) -> None:
        super().__init__()
        self.pairs = FieldPairs(FIELDS)
        width = FIELDS * sizes.width + self.pairs.count
        self.mlp = MLP(width, config.units, config.dropout)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        left_PQD, right_PQD = self.pairs(fields_PFD)
        products_PQ = (left_PQD * right_PQD).sum(-1)
        return self.mlp(torch.cat([fields_PFD.flatten(1), products_PQ], -1))
