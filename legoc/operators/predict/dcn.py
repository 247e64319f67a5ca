"""Deep & Cross Network, first version."""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.mlp import Layers
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DCN", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017",
    facts={"dense": ["units"]},
)  # fmt: skip
class DCN(nn.Module):
    """Explicit crosses of the concatenated user and candidate vectors beside a perceptron.

    x_{l+1} = x_0 (w_l·x_l) + b_l + x_l; the score is a Linear over [x_last; perceptron(x_0)].
    """

    class Config:
        cross: int = param(3, min=1, doc="cross layers")
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict DCN(cross=3, units=[1000, 1000, 1000])"

    def __init__(self, config: "DCN.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        self.crosses = nn.ModuleList(nn.Linear(width, 1, bias=False) for _ in range(config.cross))
        self.biases = nn.ParameterList(torch.zeros(width) for _ in range(config.cross))
        self.layers = Layers(width, config.units, config.dropout, batch_norm=config.batch_norm)
        self.output = nn.Linear(width + self.layers.width, 1)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        first_PD = torch.cat([user_PD, item_PD], -1)
        crossed_PD = first_PD
        for cross, bias_D in zip(self.crosses, self.biases, strict=True):
            crossed_PD = first_PD * cross(crossed_PD) + bias_D + crossed_PD
        return self.output(torch.cat([crossed_PD, self.layers(first_PD)], -1)).squeeze(-1)
