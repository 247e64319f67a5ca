"""Additive attention: a learned weighted mean of a sequence.

Letters: I any number of rows, L positions, D width.
"""

import torch
from torch import Tensor, nn

from legoc.operators.blocks.masking import masked_softmax
from legoc.operators.blocks.training_forms import AdditiveScores, trains_on_cpu


class AdditiveAttention(nn.Module):
    """α = softmax(v·tanh(W x + b)) over real positions; the result is Σ α_i x_i.

    width: of x and of the result. dim: rows of W.

    v begins at 1 / dim of what a linear layer begins with, and learns at 1 / dim of the learning
    rate, which is to learn u where v = u / dim: a mean of all places at first. Adam moves every
    number of v, and of W, by the whole rate at each update, and a score by dim times that: within
    an epoch the weights would stand on single places, and stay there.
    """

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, dim)
        self.weigh = nn.Linear(dim, 1, bias=False)
        self.weigh.pace = 1 / dim
        with torch.no_grad():
            self.weigh.weight.div_(dim)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, D]; a row without a real position gives zeros.

        What stands at padding must be finite: callers clear it (`masking.cleared`).
        """
        if trains_on_cpu(x_ILD):
            inner, v_Q = self.inner, self.weigh.weight[0]
            scores_IL = AdditiveScores.apply(x_ILD, inner.weight, inner.bias, v_Q)
        else:
            scores_IL = self.weigh(torch.tanh(self.inner(x_ILD))).squeeze(-1)
        weights_IL = masked_softmax(scores_IL, mask_IL)
        return torch.matmul(weights_IL.unsqueeze(1), x_ILD).squeeze(1)
