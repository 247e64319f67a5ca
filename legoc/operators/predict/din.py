"""Deep Interest Network: the candidate chooses among the clicks."""

import itertools

import torch
from torch import Tensor, nn

from legoc.language.declare import operator, param
from legoc.operators.blocks.dice import Dice
from legoc.operators.blocks.masking import cleared, masked_softmax
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DIN", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking",),
    paper="Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018",
)  # fmt: skip
class DIN(nn.Module):
    """Weighs each click by a small network that also reads the candidate.

    A perceptron reads the weighted sum and the candidate. The weights are not normalised unless
    `softmax=true`. An empty history has the sum zero.
    """

    class Config:
        units: list[int] = param([1000, 1000, 1000], min=1, doc="width of each hidden layer")
        attention: list[int] = param([64], min=1, doc="width of each layer that weighs a click")
        softmax: bool = param(False, doc="normalise the weights over the clicks")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")

    example = "predict DIN(units=[1000, 1000, 1000], attention=[64])"

    def __init__(self, config: "DIN.Config", sizes: Sizes) -> None:
        super().__init__()
        widths = (4 * sizes.width, *config.attention)
        self.linears = nn.ModuleList(
            nn.Linear(given, made) for given, made in itertools.pairwise(widths)
        )
        self.activations = nn.ModuleList(Dice(width) for width in config.attention)
        # A bias would add the same to every weight, which a softmax cancels.
        self.weigh = nn.Linear(widths[-1], 1, bias=not config.softmax)
        self.softmax = config.softmax
        self.mlp = MLP(sizes.width + sizes.item, config.units, config.dropout)

    def forward(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """Clicks of each pair's user [P, S, D], Bool[P, S], candidates [P, D] -> [P]."""
        real_PSD = cleared(clicks_PSD, mask_PS)
        weights_PS = self.weights(real_PSD, mask_PS, item_PD)
        interest_PD = torch.matmul(weights_PS.unsqueeze(1), real_PSD).squeeze(1)
        return self.mlp(torch.cat([interest_PD, item_PD], -1))

    def weights(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """[P, S], zero at padding."""
        item_PSD = item_PD.unsqueeze(1).expand_as(clicks_PSD)
        parts = [item_PSD, clicks_PSD, item_PSD - clicks_PSD, item_PSD * clicks_PSD]
        # Two axes: the statistics of Dice run over clicks of all pairs alike.
        x = torch.cat(parts, -1).flatten(0, 1)
        mask_R = mask_PS.flatten()
        for linear, activation in zip(self.linears, self.activations, strict=True):
            x = activation(linear(x), mask_R)
        scores_PS = self.weigh(x).reshape(mask_PS.shape)
        if self.softmax:
            return masked_softmax(scores_PS, mask_PS)
        return scores_PS.masked_fill(~mask_PS, 0.0)
