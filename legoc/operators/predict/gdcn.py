"""Gated Deep & Cross Network."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.deep_cross import DeepCross
from legoc.operators.sizes import Sizes


@operator(
    "predict", "GDCN", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Wang et al., Towards Deeper, Lighter and Interpretable Cross Network for CTR "
    "Prediction, CIKM 2023",
    facts={"dense": ["units"]},
)  # fmt: skip
class GDCN(nn.Module):
    """Crosses of the concatenated vectors, each behind a gate that filters it.

    x_{l+1} = x_0 ⊙ (W_l x_l + b_l) ⊙ σ(V_l x_l) + x_l. `structure=parallel` puts a perceptron
    beside the crosses over x_0, `stacked` over them.
    """

    class Config:
        cross: int = param(3, min=1, doc="cross layers")
        structure: Literal["parallel", "stacked"] = param(
            "parallel", doc="where the perceptron stands: beside the crosses or above them"
        )
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict GDCN(cross=3, structure=parallel, units=[1000, 1000, 1000])"

    def __init__(self, config: "GDCN.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        self.join = DeepCross(
            GatedCross(width, config.cross), width, structure=config.structure,
            units=config.units, dropout=config.dropout, batch_norm=config.batch_norm,
        )  # fmt: skip

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        return self.join(torch.cat([user_PD, item_PD], -1))


class GatedCross(nn.Module):
    """x_{l+1} = x_0 ⊙ (W_l x_l + b_l) ⊙ σ(V_l x_l) + x_l, with b uniform in [0, 1] at first."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.gates = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        for cross in self.crosses:
            nn.init.uniform_(cross.bias)

    def forward(self, first_PD: Tensor) -> Tensor:
        """[P, D] -> [P, D]."""
        x_PD = first_PD
        for cross, gate in zip(self.crosses, self.gates, strict=True):
            x_PD = first_PD * cross(x_PD) * torch.sigmoid(gate(x_PD)) + x_PD
        return x_PD
