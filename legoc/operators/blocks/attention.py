"""Multi-head self-attention from primitives, and the pooling encoder built on it.

Letters: I any number of rows, L positions, D width, H heads, E = D / H.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import param
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.masking import cleared
from legoc.operators.blocks.training_forms import attend_wide, trains_on_cpu


class SelfAttention(nn.Module):
    """Scaled dot-product attention of a sequence with itself.

    With biases and, unless `project=False`, an output projection. kind: of the Linears. dropout: of
    the weights of the keys. Without the projection this is the form of Wu et al., where the heads'
    outputs are concatenated as they are.

    `torch.nn.MultiheadAttention` gives NaN for a row without a real position, in both engines, so
    this is written from primitives (EXPORT section 3).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        project: bool = True,
        kind: type[nn.Linear] = PlainLinear,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.query = kind(width, width)
        # A bias of the keys adds the same to every score of a query, so the softmax cancels it.
        self.key = kind(width, width, bias=False)
        self.value = kind(width, width)
        self.output = kind(width, width) if project else nn.Identity()
        self.dropout = Dropout(dropout)

    def split(self, x_ILD: Tensor) -> Tensor:
        """[I, L, D] -> [I, H, L, E]."""
        return x_ILD.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x_ILD: Tensor, mask: Tensor, asking_ILD: Tensor | None = None) -> Tensor:
        """[I, L, D] and Bool[I, L] of real keys, or Bool[I, L, L] of the keys each query may see
        -> [I, L, D]. Outputs at padding mean nothing. `asking_ILD` are the queries' own values,
        where they differ from `x_ILD`."""
        query_IHLE = self.split(self.query(x_ILD if asking_ILD is None else asking_ILD))
        key_IHLE = self.split(self.key(x_ILD))
        value_IHLE = self.split(self.value(x_ILD))
        allowed = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]
        mixed_IHLE = attend(query_IHLE, key_IHLE, value_IHLE, allowed, self.dropout)
        return self.output(mixed_IHLE.transpose(1, 2).flatten(2))


def attend(
    query_IHLE: Tensor, key_IHLE: Tensor, value_IHLE: Tensor, allowed: Tensor, dropout: nn.Module
) -> Tensor:
    """Scaled dot-product attention of every head; `allowed` is broadcast over [I, H, L, L]. A query
    that may see nothing gets zeros. dropout: of the weights."""
    if trains_on_cpu(query_IHLE):
        return attend_wide(query_IHLE, key_IHLE, value_IHLE, allowed, dropout)
    scale = 1.0 / math.sqrt(query_IHLE.shape[-1])
    scores_IHLL = torch.matmul(query_IHLE * scale, key_IHLE.transpose(-1, -2))
    # Not `masked_softmax`: a query without a key is cleared in the result, which is smaller than
    # the weights by the length of the sequence, and so is what the backward pass keeps of it.
    weights_IHLL = scores_IHLL.masked_fill(~allowed, torch.finfo(scores_IHLL.dtype).min).softmax(-1)
    mixed_IHLE = torch.matmul(dropout(weights_IHLL), value_IHLE)
    return mixed_IHLE.masked_fill(~allowed.any(-1, keepdim=True), 0.0)


class Settings:
    """The parameters of `AttentionPooling`, beside the width of its result."""

    heads: int = param(8, min=1, doc="attention heads")
    dim: int = param(256, min=1, doc="inner width of the additive attention")
    dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values of the input vectors")
    project: bool = param(
        True, since=True,
        doc="project the heads' output; false: queries, keys and values alone, as in the papers of "
        "Wu et al.",
    )  # fmt: skip


class AttentionPooling(nn.Module):
    """The encoder of NRMS: dropout → self-attention → Linear → additive attention.

    width: of the input. config: `Settings` with `hidden`, the width of the result. Without
    `project` it has the form of the paper: no output projection, dropout after the attention
    instead, and a Linear only where `hidden` differs from `width`.
    """

    def __init__(self, width: int, config: Any) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout)
        self.after = nn.Identity() if config.project else Dropout(config.dropout)
        self.attend = SelfAttention(width, config.heads, project=config.project)
        linear = config.project or width != config.hidden
        self.project = PlainLinear(width, config.hidden) if linear else nn.Identity()
        self.pool = AdditiveAttention(config.hidden, config.dim)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, hidden]; a row without a real position gives zeros."""
        real_ILD = self.dropout(cleared(x_ILD, mask_IL))
        attended_ILD = self.after(self.attend(real_ILD, mask_IL))
        return self.pool(self.project(attended_ILD), mask_IL)
