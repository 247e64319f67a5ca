"""Multi-head self-attention from primitives, and the pooling encoder built on it.

Letters: I any number of rows, L positions, D width, H heads, E = D / H.
"""

import math

import torch
from torch import Tensor, nn

from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.masking import cleared, masked_softmax


class SelfAttention(nn.Module):
    """Scaled dot-product attention of a sequence with itself, with biases and an output projection.

    `torch.nn.MultiheadAttention` gives NaN for a row without a real position, in both engines, so
    this is written from primitives (EXPORT section 3).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = PlainLinear(width, width)
        # A bias of the keys adds the same to every score of a query, so the softmax cancels it.
        self.key = PlainLinear(width, width, bias=False)
        self.value = PlainLinear(width, width)
        self.output = PlainLinear(width, width)

    def split(self, x_ILD: Tensor) -> Tensor:
        """[I, L, D] -> [I, H, L, E]."""
        return x_ILD.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] of real keys -> [I, L, D]. Outputs at padding mean nothing."""
        query_IHLE = self.split(self.query(x_ILD))
        key_IHLE = self.split(self.key(x_ILD))
        value_IHLE = self.split(self.value(x_ILD))
        scale = 1.0 / math.sqrt(query_IHLE.shape[-1])
        scores_IHLL = torch.matmul(query_IHLE * scale, key_IHLE.transpose(-1, -2))
        weights_IHLL = masked_softmax(scores_IHLL, mask_IL[:, None, None, :])
        mixed_IHLE = torch.matmul(weights_IHLL, value_IHLE)
        return self.output(mixed_IHLE.transpose(1, 2).flatten(2))


class AttentionPooling(nn.Module):
    """dropout → self-attention → Linear → additive attention: the encoder of NRMS.

    width: of the input. hidden: of the result. dim: inner width of the additive attention.
    """

    def __init__(self, *, width: int, hidden: int, heads: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.attend = SelfAttention(width, heads)
        self.project = PlainLinear(width, hidden)
        self.pool = AdditiveAttention(hidden, dim)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, hidden]; a row without a real position gives zeros."""
        real_ILD = self.dropout(cleared(x_ILD, mask_IL))
        return self.pool(self.project(self.attend(real_ILD, mask_IL)), mask_IL)
