"""The multi-layer perceptron of the predictors.

Letters: P pairs.
"""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn


class Layers(nn.Module):
    """Linear → ReLU → dropout for each of `units`; without units, the identity.

    `width` is that of the result.
    """

    def __init__(self, width: int, units: Sequence[int], dropout: float) -> None:
        super().__init__()
        sizes = (width, *units)
        self.linears = nn.ModuleList(
            nn.Linear(given, made) for given, made in itertools.pairwise(sizes)
        )
        self.dropout = nn.Dropout(dropout)
        self.width = sizes[-1]

    def forward(self, x: Tensor) -> Tensor:
        """[P, width given] -> [P, width]."""
        for linear in self.linears:
            x = self.dropout(linear(x).relu())
        return x


class MLP(nn.Module):
    """`Layers`, then a Linear to one logit."""

    def __init__(self, width: int, units: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.layers = Layers(width, units, dropout)
        self.output = nn.Linear(self.layers.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[P, width] -> [P]."""
        return self.output(self.layers(x)).squeeze(-1)
