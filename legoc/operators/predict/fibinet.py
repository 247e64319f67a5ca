"""FiBiNET: fields weighed by squeeze and excitation, and bilinear products of them."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.fields import FIELDS, FieldPairs, stacked
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "FiBiNET", "(Vec[d], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Huang et al., FiBiNET: Combining Feature Importance and Bilinear Feature Interaction "
    "for Click-Through Rate Prediction, RecSys 2019",
    facts={"dense": ["units"]},
)  # fmt: skip
class FiBiNET(nn.Module):
    """Bilinear products of user and candidate, as they are and reweighed, in a perceptron.

    v = e weighed per field by ReLU(W_2 ReLU(W_1 z)), z the mean of each field; p_ij = (e_i W) ⊙ e_j
    on both e and v; a perceptron over all products, and a linear term. `share` says which products
    have one W: `all`, `each` those with the same left field, `interaction` none. User and candidate
    make one product, so the three then differ only in name.
    """

    class Config:
        share: Literal["interaction", "each", "all"] = param(
            "interaction", doc="which products share a matrix"
        )
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict FiBiNET(share=interaction, units=[1000, 1000, 1000])"

    def __init__(self, config: "FiBiNET.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.weigh = Excitation(FIELDS, FIELDS)
        self.products = Bilinear(FIELDS, width, config.share)
        self.linear = nn.Linear(FIELDS * width, 1, bias=False)
        self.mlp = MLP(
            2 * self.products.count * width, config.units, config.dropout,
            batch_norm=config.batch_norm,
        )  # fmt: skip

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        plain_PQD = self.products(fields_PFD)
        weighed_PQD = self.products(self.weigh(fields_PFD))
        deep_P = self.mlp(torch.cat([plain_PQD, weighed_PQD], 1).flatten(1))
        return deep_P + self.linear(fields_PFD.flatten(1)).squeeze(-1)


class Excitation(nn.Module):
    """Fields times ReLU(W_2 ReLU(W_1 z)), z the mean over the width of each field; no biases.

    A unit that no input reaches would never be moved. So the units start in pairs of opposite
    weights, of which every z reaches one, and the weights behind them start positive: whatever the
    fields hold, none is switched off at first. hidden: units, two at least.
    """

    def __init__(self, fields: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(fields, hidden, bias=False)
        self.excite = nn.Linear(hidden, fields, bias=False)
        pairs = hidden // 2
        with torch.no_grad():
            self.squeeze.weight[pairs : 2 * pairs] = -self.squeeze.weight[:pairs]
            self.excite.weight.abs_()

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, F, D]."""
        weights_PF = self.excite(self.squeeze(fields_PFD.mean(-1)).relu()).relu()
        return fields_PFD * weights_PF.unsqueeze(-1)


class Bilinear(nn.Module):
    """(e_i W) ⊙ e_j for every pair of fields i < j. `count`: how many pairs there are.

    Letters: F fields, Q pairs of fields, W matrices.
    """

    which: Tensor

    def __init__(self, fields: int, width: int, share: str) -> None:
        super().__init__()
        self.pairs = FieldPairs(fields)
        self.count = self.pairs.count
        which = {
            "all": torch.zeros(self.count, dtype=torch.int64),
            "each": self.pairs.left,
            "interaction": torch.arange(self.count),
        }[share]
        self.register_buffer("which", which, persistent=False)
        # The last field is never on the left, so `each` has one matrix less than there are fields.
        size = {"all": 1, "each": fields - 1, "interaction": self.count}[share]
        self.weight = nn.Parameter(torch.empty(size, width, width))
        for matrix in self.weight:
            nn.init.xavier_normal_(matrix)

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, Q, D]."""
        left_PQD, right_PQD = self.pairs(fields_PFD)
        weight_QDD = self.weight.index_select(0, self.which)
        turned_PQD = left_PQD.transpose(0, 1).matmul(weight_QDD).transpose(0, 1)
        return turned_PQD * right_PQD
