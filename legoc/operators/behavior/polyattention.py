"""The user encoder of MINER: several interests of one user."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.masking import cleared, masked_softmax
from legoc.operators.blocks.training_forms import trains_on_cpu
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "PolyAttention", "Seq[Vec[d]] -> Many[codes, Vec[d]]",
    paper="Li et al., MINER: Multi-Interest Matching Network for News Recommendation, "
    "Findings of ACL 2022",
)  # fmt: skip
class PolyAttention(nn.Module):
    """Several weighted means of the clicks, each by a learned code of its own.

    The category bias of the paper is left out: it compares each click with the candidates, so that
    nothing of a user could be cached, and no predictor is given categories.
    """

    class Config(ColdSettings):
        codes: int = param(32, min=1, doc="user vectors")
        dim: int = param(200, min=1, doc="width of a code")

    example = "behavior PolyAttention(codes=32)"

    def __init__(self, config: "PolyAttention.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.codes, sizes.width)
        self.inner = nn.Linear(sizes.width, config.dim, bias=False)
        self.codes = nn.Parameter(torch.empty(config.codes, config.dim))
        nn.init.xavier_uniform_(self.codes, gain=nn.init.calculate_gain("tanh"))
        # As in `AdditiveAttention`: at the whole rate a score would move by dim times that.
        self.pace = 1 / config.dim
        with torch.no_grad():
            self.codes.div_(config.dim)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, C, D]."""
        real_BSD = cleared(clicks_BSD, mask_BS)
        if trains_on_cpu(real_BSD):
            # As in `AdditiveScores`: what a code adds to every score, the softmax takes away.
            keys_BSQ = functional.linear(real_BSD, 2 * self.inner.weight).sigmoid_()
            scores_BCS = torch.matmul(2 * self.codes, keys_BSQ.transpose(1, 2))
        else:
            keys_BSQ = torch.tanh(self.inner(real_BSD))
            scores_BCS = torch.matmul(self.codes, keys_BSQ.transpose(1, 2))
        return self.cold(
            torch.matmul(masked_softmax(scores_BCS, mask_BS.unsqueeze(1)), real_BSD), mask_BS
        )
