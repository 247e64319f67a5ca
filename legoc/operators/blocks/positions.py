"""Learned positions: a vector per place of a sequence.

Letters: I any number of rows, L positions, D width.
"""

import torch
from torch import Tensor, nn


# What published encoders have; more where the data has longer sequences.
PLACES = 1024


class Positions(nn.Module):
    """A learned vector per place, N(0, 0.02²) at first, for sequences up to `longest`."""

    def __init__(self, width: int, longest: int = 0) -> None:
        super().__init__()
        self.table = nn.Embedding(max(PLACES, longest), width)
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(self, x_ILD: Tensor) -> Tensor:
        """[I, L, D] -> [1, L, D], the vectors of the places 0 ... L − 1."""
        return self.table(torch.arange(x_ILD.shape[1], device=x_ILD.device)).unsqueeze(0)

    def at(self, place: Tensor) -> Tensor:
        """The vectors of any places, int[...] -> [..., D]."""
        return self.table(place)


def places_back(mask_IL: Tensor) -> Tensor:
    """Bool[I, L] of rows padded on the right -> int[I, L]: 0 for the last real position, 1 for the
    one before it, and so on; 0 at padding."""
    place_L = torch.arange(mask_IL.shape[1], device=mask_IL.device)
    return (mask_IL.sum(1, keepdim=True) - 1 - place_L).clamp_min(0)
