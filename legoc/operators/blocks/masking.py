"""Reductions that read only real positions.

Letters: I any number of rows, L positions, D width. A mask is True where a position is real; a row
without one gives zeros, in torch and in an exported graph alike.
"""

import torch
from torch import Tensor

from legoc.operators.blocks.training_forms import clear_rows, trains_on_cpu, wide_softmax


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis of `scores`, zero where `mask` (broadcast over them) is False.

    Padding changes no bit of the real weights, whatever the scale of the scores, and a row without
    a real position is all zeros.
    """
    lowest = torch.finfo(scores.dtype).min
    scores = scores.masked_fill(~mask, lowest)
    return (wide_softmax(scores) if trains_on_cpu(scores) else scores.softmax(-1)) * mask


def cleared(x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
    """`x` [I, L, D] with zero at padding, even where padding holds NaN; not to be written to."""
    if trains_on_cpu(x_ILD):
        return clear_rows(x_ILD, mask_IL)
    return x_ILD.masked_fill(~mask_IL.unsqueeze(-1), 0.0)


def masked_mean(x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
    """Mean over the real positions: [I, L, D], [I, L] -> [I, D]."""
    count_I1 = mask_IL.sum(1, keepdim=True).clamp_min(1)
    return cleared(x_ILD, mask_IL).sum(1) / count_I1


def masked_max(x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
    """Largest value over the real positions: [I, L, D], [I, L] -> [I, D]."""
    lowest = torch.finfo(x_ILD.dtype).min
    best_ID = x_ILD.masked_fill(~mask_IL.unsqueeze(-1), lowest).amax(1)
    return best_ID.masked_fill(~mask_IL.any(1, keepdim=True), 0.0)


def last_real(x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
    """The value at the last real position of rows padded on the right: -> [I, D].

    Sizes come from the mask: read from a recurrent layer's output they would freeze in an export.
    """
    length_I = mask_IL.sum(1)
    place_I1D = (length_I - 1).clamp_min(0)[:, None, None].expand(-1, 1, x_ILD.shape[-1])
    state_ID = x_ILD.gather(1, place_I1D).squeeze(1)
    return state_ID.masked_fill((length_I == 0).unsqueeze(-1), 0.0)
