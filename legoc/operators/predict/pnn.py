"""Product-based Neural Network."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.fields import FIELDS, FieldPairs, stacked
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "PNN", "(Vec[d], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Qu et al., Product-based Neural Networks for User Response Prediction, ICDM 2016",
    facts={"dense": ["units"]},
)  # fmt: skip
class PNN(nn.Module):
    """A perceptron over user, candidate and what their product adds.

    `form=inner` is that of most later comparisons, MLP([e_1 … e_F; <e_i, e_j>]). The others are the
    paper's (unconfirmed): unit n of the first layer gets l_p^n beside its weighted sum of the
    fields. `factorised` weighs all inner products by a matrix of rank one, θ^n θ^nᵀ, which is
    l_p^n = ‖Σ_f θ_f^n e_f‖². `outer` weighs the outer product of the sum of the fields with itself:
    l_p^n = sᵀ W^n s, s = Σ_f e_f; a matrix of d times d for each unit.
    """

    class Config:
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )
        form: Literal["inner", "factorised", "outer"] = param(
            "inner", since=True, doc="what is added of the products of the fields"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict PNN(units=[1000, 1000, 1000])"

    def __init__(self, config: "PNN.Config", sizes: Sizes) -> None:
        super().__init__()
        # Without hidden layers the logit itself is the unit that the products are added to.
        first = config.units[0] if config.units else 1
        make = {"inner": InnerProducts, "factorised": FactorisedProducts, "outer": OuterProduct}
        self.products = make[config.form](sizes.width, first)
        self.mlp = MLP(
            FIELDS * sizes.width + self.products.beside, config.units, config.dropout,
            batch_norm=config.batch_norm,
        )  # fmt: skip

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        products = self.products(fields_PFD)
        if self.products.beside:
            return self.mlp(torch.cat([fields_PFD.flatten(1), products], -1))
        return self.mlp(fields_PFD.flatten(1), products)


class InnerProducts(nn.Module):
    """<e_i, e_j> for i < j, as further inputs. `beside`: how many there are."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.pairs = FieldPairs(FIELDS)
        self.beside = self.pairs.count

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, Q]."""
        left_PQD, right_PQD = self.pairs(fields_PFD)
        return (left_PQD * right_PQD).sum(-1)


class FactorisedProducts(nn.Module):
    """‖Σ_f θ_f^n e_f‖² for each of N units, as an addend of the first layer.

    Not by the N vectors Σ_f θ_f^n e_f, which would be N times D values of a pair: it equals
    Σ_ij θ_i^n θ_j^n <e_i, e_j>, the F times F inner products weighed.
    """

    beside = 0

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.randn(units, FIELDS) / FIELDS**0.5)

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, N]."""
        inner_PFF = fields_PFD.matmul(fields_PFD.transpose(1, 2))
        weight_NFF = self.theta.unsqueeze(2) * self.theta.unsqueeze(1)
        return inner_PFF.flatten(1).matmul(weight_NFF.flatten(1).T)


class OuterProduct(nn.Module):
    """sᵀ W^n s for each of N units, s the sum of the fields, as an addend of the first layer."""

    beside = 0

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(width * width, units, bias=False)
        nn.init.xavier_normal_(self.weigh.weight)

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, N]."""
        sum_PD = fields_PFD.sum(1)
        return self.weigh((sum_PD.unsqueeze(2) * sum_PD.unsqueeze(1)).flatten(1))
