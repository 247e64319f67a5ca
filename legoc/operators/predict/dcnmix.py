"""DCN-Mix: crosses as a mixture of low-rank experts."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.deep_cross import DeepCross
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DCNMix", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale "
    "Learning to Rank Systems, WWW 2021",
    facts={"dense": ["units"]},
)  # fmt: skip
class DCNMix(nn.Module):
    """Crosses of the concatenated vectors, each a gated mixture of low-rank experts.

    x_{l+1} = x_l + Σ_k softmax_k(g_k·x_l) x_0 ⊙ (U_k tanh(C_k tanh(V_k x_l)) + b), with the gates g
    shared by all layers. The structures are those of `DCNv2`.
    """

    class Config:
        cross: int = param(3, min=1, doc="cross layers")
        rank: int = param(32, min=1, doc="width of the space in which an expert works")
        experts: int = param(4, min=1, doc="experts of a layer")
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
    example = "predict DCNMix(cross=3, rank=32, experts=4)"

    def __init__(self, config: "DCNMix.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        cross = MixtureCross(width, config.cross, rank=config.rank, experts=config.experts)
        self.join = DeepCross(
            cross, width, structure=config.structure, units=config.units, dropout=config.dropout,
            batch_norm=config.batch_norm,
        )  # fmt: skip

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        return self.join(torch.cat([user_PD, item_PD], -1))


class MixtureCross(nn.Module):
    """Cross layers of `experts` experts each, below gates that all layers share."""

    def __init__(self, width: int, layers: int, *, rank: int, experts: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(LowRankExperts(width, rank, experts) for _ in range(layers))
        # With one expert a softmax is 1 whatever the gate says, and a gate would learn nothing.
        self.gate = nn.Linear(width, experts, bias=False) if experts > 1 else None

    def forward(self, first_PD: Tensor) -> Tensor:
        """[P, D] -> [P, D]."""
        x_PD = first_PD
        for layer in self.layers:
            made_KPD = first_PD * layer(x_PD)
            if self.gate is None:
                x_PD = x_PD + made_KPD.sum(0)
            else:
                shares_KP1 = self.gate(x_PD).softmax(-1).T.unsqueeze(-1)
                x_PD = x_PD + (shares_KP1 * made_KPD).sum(0)
        return x_PD


class LowRankExperts(nn.Module):
    """U_k tanh(C_k tanh(V_k x)) + b for each of K experts, as products of K stacked matrices.

    Letters: K experts, R rank. Matrices start Xavier-normal, each by its own sizes.
    """

    def __init__(self, width: int, rank: int, experts: int) -> None:
        super().__init__()
        self.narrow = nn.Parameter(torch.empty(experts, width, rank))
        self.inner = nn.Parameter(torch.empty(experts, rank, rank))
        self.widen = nn.Parameter(torch.empty(experts, rank, width))
        self.bias = nn.Parameter(torch.zeros(width))
        for stack in (self.narrow, self.inner, self.widen):
            for matrix in stack:
                nn.init.xavier_normal_(matrix)

    def forward(self, x_PD: Tensor) -> Tensor:
        """[P, D] -> [K, P, D]."""
        narrow_KPR = torch.matmul(x_PD, self.narrow).tanh()
        inner_KPR = torch.matmul(narrow_KPR, self.inner).tanh()
        return torch.matmul(inner_KPR, self.widen) + self.bias
