"""xDeepFM: a compressed interaction network beside a perceptron."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.fields import FIELDS, stacked
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "xDeepFM", "(Vec[d], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions for "
    "Recommender Systems, KDD 2018",
    facts={"dense": ["units"]},
)  # fmt: skip
class xDeepFM(nn.Module):
    """A linear term, a compressed interaction network and a perceptron, summed.

    X^k_h = Σ_ij W^{k,h}_ij X^{k−1}_i ⊙ X^0_j + b_h, without an activation; every map of every layer
    is summed over the width and enters a Linear. `cin=[]` leaves the interaction network out.
    """

    class Config:
        cin: list[int] = param([32, 32, 32], min=1, doc="feature maps of each interaction layer")
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
    example = "predict xDeepFM(cin=[32, 32, 32], units=[1000, 1000, 1000])"

    def __init__(self, config: "xDeepFM.Config", sizes: Sizes) -> None:
        super().__init__()
        width = FIELDS * sizes.width
        self.linear = nn.Linear(width, 1, bias=False)
        self.cin = CompressedInteraction(FIELDS, config.cin)
        # One bias for the sum of the three: that of the perceptron's last layer.
        self.weigh = nn.Linear(self.cin.width, 1, bias=False) if config.cin else None
        self.mlp = MLP(width, config.units, config.dropout, batch_norm=config.batch_norm)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        fields_PFD = stacked(user_PD, item_PD)
        x_PD = fields_PFD.flatten(1)
        score_P = self.linear(x_PD).squeeze(-1) + self.mlp(x_PD)
        if self.weigh is None:
            return score_P
        return score_P + self.weigh(self.cin(fields_PFD)).squeeze(-1)


class CompressedInteraction(nn.Module):
    """Layers of feature maps, each a weighted sum of products of the last maps with the fields.

    Letters: F fields, M maps. `width`: maps of all layers together.
    """

    def __init__(self, fields: int, maps: Sequence[int]) -> None:
        super().__init__()
        given = (fields, *maps[:-1])
        self.layers = nn.ModuleList(
            nn.Linear(last * fields, made) for last, made in zip(given, maps, strict=False)
        )
        self.width = sum(maps)

    def forward(self, fields_PFD: Tensor) -> Tensor:
        """[P, F, D] -> [P, width]."""
        fields_PDF = fields_PFD.transpose(1, 2)
        maps_PDM, sums = fields_PDF, []
        for layer in self.layers:
            products_PDFM = fields_PDF.unsqueeze(-1) * maps_PDM.unsqueeze(-2)
            maps_PDM = layer(products_PDFM.flatten(2))
            sums.append(maps_PDM.sum(1))
        return torch.cat(sums, -1)
