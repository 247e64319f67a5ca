"""Deep Interest Network: the candidate chooses among the clicks."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.dice import Dice
from legoc.operators.blocks.masking import cleared, masked_softmax
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


@operator(
    "predict", "DIN", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking",),
    paper="Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018",
    facts={"dense": ["units"]},
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
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Needs("batch_norm", "units"),)
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
        width = sizes.width + sizes.item
        self.mlp = MLP(width, config.units, config.dropout, batch_norm=config.batch_norm)

    def forward(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """Clicks of each pair's user [P, S, D], Bool[P, S], candidates [P, D] -> [P]."""
        real_PSD = cleared(clicks_PSD, mask_PS)
        weights_PS = self.weights(real_PSD, mask_PS, item_PD)
        interest_PD = torch.matmul(weights_PS.unsqueeze(1), real_PSD).squeeze(1)
        return self.mlp(torch.cat([interest_PD, item_PD], -1))

    def weights(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """[P, S], zero at padding."""
        first, *others = (*self.linears, self.weigh)
        # Two axes: the statistics of Dice run over clicks of all pairs alike.
        x, mask_R = compare(first, clicks_PSD, item_PD).flatten(0, 1), mask_PS.flatten()
        for activation, linear in zip(self.activations, others, strict=True):
            x = linear(activation(x, mask_R))
        scores_PS = x.reshape(mask_PS.shape)
        if self.softmax:
            return masked_softmax(scores_PS, mask_PS)
        return scores_PS.masked_fill(~mask_PS, 0.0)


def compare(linear: nn.Linear, clicks_PSD: Tensor, item_PD: Tensor) -> Tensor:
    """A Linear of [c; k; c − k; c ⊙ k] for every click k and the candidate c: [P, S, made].

    The four are never made: what reads c alone is one product per pair, and c − k is none at all,
    which halves the work and a third of the memory.
    """
    item_MD, click_MD, less_MD, times_MD = linear.weight.chunk(4, 1)
    of_item_PM = functional.linear(item_PD, item_MD + less_MD, linear.bias)
    of_click_PSM = functional.linear(clicks_PSD, click_MD - less_MD)
    of_both_PSM = functional.linear(clicks_PSD * item_PD.unsqueeze(1), times_MD)
    return of_click_PSM + of_both_PSM + of_item_PM.unsqueeze(1)
