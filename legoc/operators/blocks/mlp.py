"""The multi-layer perceptron of the predictors.

It starts by He and Glorot and not as PyTorch would: after two epochs of 100,000 rows of the demo,
over pooled text, that is a GAUC of 0.67 instead of 0.63 (DNN) and 0.65 instead of 0.60 (DCN).

Letters: P pairs.
"""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from legoc.operators.blocks.linear import PlainLinear, RectifiedLinear


class Layers(nn.Module):
    """Linear → activation → dropout for each of `units`; without units, the identity.

    The activation is ReLU, or LeakyReLU with the slope `leak` below zero. `width` is that of the
    result.
    """

    def __init__(
        self, width: int, units: Sequence[int], dropout: float, *, leak: float = 0.0
    ) -> None:
        super().__init__()
        sizes = (width, *units)
        self.linears = nn.ModuleList(
            RectifiedLinear(given, made) for given, made in itertools.pairwise(sizes)
        )
        self.dropout = nn.Dropout(dropout)
        self.leak = leak
        self.width = sizes[-1]

    def forward(self, x: Tensor) -> Tensor:
        """[P, width given] -> [P, width]."""
        for linear in self.linears:
            x = self.dropout(self.activate(linear(x)))
        return x

    def activate(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.leak) if self.leak else x.relu()


class MLP(nn.Module):
    """`Layers`, then a Linear to one logit."""

    def __init__(
        self, width: int, units: Sequence[int], dropout: float, *, leak: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = Layers(width, units, dropout, leak=leak)
        self.output = PlainLinear(self.layers.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[P, width] -> [P]."""
        return self.output(self.layers(x)).squeeze(-1)
