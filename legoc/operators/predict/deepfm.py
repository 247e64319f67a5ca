"""DeepFM: a factorisation machine beside a perceptron."""

from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.fields import FIELDS, factorised, stacked
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DeepFM", "(Vec[d], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction, "
    "IJCAI 2017",
    facts={"dense": ["units"]},
)  # fmt: skip
class DeepFM(nn.Module):
    """A linear term, the inner product of user and candidate, and a perceptron, summed."""

    class Config:
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict DeepFM(units=[1000, 1000, 1000])"

    def __init__(self, config: "DeepFM.Config", sizes: Sizes) -> None:
        super().__init__()
        width = FIELDS * sizes.width
        # The bias w_0 of the equation is that of the perceptron's last layer.
        self.linear = nn.Linear(width, 1, bias=False)
        self.mlp = MLP(width, config.units, config.dropout, batch_norm=config.batch_norm)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        x_PD = fields_PFD.flatten(1)
        return self.linear(x_PD).squeeze(-1) + factorised(fields_PFD) + self.mlp(x_PD)
