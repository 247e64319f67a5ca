"""The user who has clicked nothing yet.

Zeros would score every candidate alike and pass no gradient, so a model would learn nothing from
the clicks of newcomers. Letters: B users, S clicks, C vectors of a user, D width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import param


class Settings:
    """The setting that every behavior operator with a vector of its own has."""

    cold: Literal["learned", "zero"] = param(
        "learned", since=True, before="zero",
        doc="what stands for an empty history: a learned vector, or zeros",
    )  # fmt: skip


class Cold(nn.Module):
    """Adds a learned vector to what an operator makes of an empty history.

    What that is otherwise: zeros, or what an operator that reads the user knows of him. The vector
    starts at zero.
    """

    def __init__(self, kind: Literal["learned", "zero"], *shape: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(shape)) if kind == "learned" else None

    def forward(self, made: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, D] or [B, C, D] and Bool[B, S] -> the same shape."""
        if self.vector is None:
            return made
        known_B = mask_BS.any(1).reshape(-1, *[1] * (made.dim() - 1))
        return made + self.vector.masked_fill(known_B, 0.0)
