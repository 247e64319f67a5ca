"""AutoInt: fields attend to each other."""

import itertools
import math

from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, Needs, operator, param
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.fields import FIELDS, stacked
from legoc.operators.blocks.linear import PlainLinear, RectifiedLinear
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "AutoInt", "(Vec[d], Vec[d]) -> Score", version=3, tasks=("ranking", "matching"),
    paper="Song et al., AutoInt: Automatic Feature Interaction Learning via Self-Attentive Neural "
    "Networks, CIKM 2019",
    facts={"dense": ["units"], "weights": 3},
)  # fmt: skip
class AutoInt(nn.Module):
    """Stacked self-attention over user and candidate, then a Linear over both.

    A layer is ReLU(softmax(Q Kᵀ) V + W e), with heads concatenated and no 1/√width unless
    `scale=true`. Vectors are multiplied by √d first: as small as they start, every field would
    attend to both alike, and layers so narrow would learn next to nothing. `units` adds a
    perceptron over user and candidate as they are, summed with it (AutoInt+).
    """

    class Config:
        layers: int = param(3, min=1, doc="attention layers")
        heads: int = param(2, min=1, doc="attention heads")
        dim: int = param(64, min=1, doc="width of a field after a layer, all heads together")
        scale: bool = param(False, doc="divide attention scores by the root of a head's width")
        units: list[int] = param(
            [], min=1, doc="width of each hidden layer of the perceptron beside; empty: none"
        )
        dropout: float = param(
            0.1, min=0, max=1, doc="share of zeroed attention weights and hidden values"
        )
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Divides("heads", "dim"), Needs("batch_norm", "units"))
    example = "predict AutoInt(layers=3, heads=2, dim=64)"

    def __init__(self, config: "AutoInt.Config", sizes: Sizes) -> None:
        super().__init__()
        self.scale = math.sqrt(sizes.width)
        widths = (sizes.width, *[config.dim] * config.layers)
        self.layers = nn.ModuleList(
            Interacting(given, made, heads=config.heads, scale=config.scale, dropout=config.dropout)
            for given, made in itertools.pairwise(widths)
        )
        self.output = PlainLinear(FIELDS * config.dim, 1)
        width, units = FIELDS * sizes.width, config.units
        mlp = MLP(width, units, config.dropout, batch_norm=config.batch_norm) if units else None
        self.mlp = mlp

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        x_PFD = fields_PFD * self.scale
        for layer in self.layers:
            x_PFD = layer(x_PFD)
        score_P = self.output(x_PFD.flatten(1)).squeeze(-1)
        return score_P if self.mlp is None else score_P + self.mlp(fields_PFD.flatten(1))


class Interacting(nn.Module):
    """ReLU(softmax(Q Kᵀ) V, heads concatenated, + W e) over the fields; no biases.

    Letters: F fields, H heads, E = width of a head.
    """

    def __init__(self, width: int, made: int, *, heads: int, scale: bool, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value = (PlainLinear(width, made, bias=False) for _ in range(3))
        self.keep = RectifiedLinear(width, made, bias=False)
        self.heads = heads
        self.factor = 1.0 / math.sqrt(made // heads) if scale else 1.0
        self.dropout = Dropout(dropout)

    def split(self, x_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, F, H, E]."""
        return x_PFD.unflatten(-1, (self.heads, -1))

    def forward(self, x_PFD: Tensor) -> Tensor:
        """[P, F, width] -> [P, F, made].

        Sums and no products of matrices: there would be one for each pair and head, so tiny that
        the calls take longer than the work.
        """
        query_PF1HE = self.split(self.query(x_PFD)).unsqueeze(2)
        key_P1FHE = self.split(self.key(x_PFD)).unsqueeze(1)
        value_P1FHE = self.split(self.value(x_PFD)).unsqueeze(1)
        scores_PFFH = (query_PF1HE * key_P1FHE).sum(-1) * self.factor
        weights_PFFH = self.dropout(scores_PFFH.softmax(2))
        mixed_PFHE = (weights_PFFH.unsqueeze(-1) * value_P1FHE).sum(2)
        return (mixed_PFHE.flatten(2) + self.keep(x_PFD)).relu()
