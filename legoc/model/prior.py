"""What the moment of a pair says by itself: a small learned prior that is added to its score.

Letters: P pairs, n numbers of the context.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from legoc.data.indexing.log import F32


HIDDEN = 8
# Numbers that hardly differ in training tell nothing, and dividing by less makes them large.
LEAST = 1e-3


class Prior(nn.Module):
    """p = w ReLU(A z + a) + b, where z = (log(1 + x) - mean) / deviation.

    Mean and deviation are those of the training rows and no weights. The last layer starts at zero,
    so a fresh model scores as it would without. A number that stays at the mean says nothing.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("deviation", torch.ones(numbers))
        self.inner = nn.Linear(numbers, HIDDEN)
        self.outer = nn.Linear(HIDDEN, 1)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    @torch.no_grad()
    def fill(self, blocks: Iterable[F32]) -> None:
        """Take mean and deviation of the numbers [r, n] of all blocks."""
        count, total, squares = 0, np.zeros(len(self.mean)), np.zeros(len(self.mean))
        for block in blocks:
            x = np.log1p(block.astype(np.float64))
            count, total, squares = count + len(x), total + x.sum(0), squares + (x * x).sum(0)
        if not count:
            return
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean * mean, 0))
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(np.where(deviation < LEAST, 1.0, deviation)))

    @property
    def neutral(self) -> list[float]:
        """For each number the one that says nothing, because it is training's mean."""
        return self.mean.double().expm1().tolist()

    def forward(self, context_Pn: Tensor) -> Tensor:
        """Counts and hours F[P, n] -> F[P]."""
        z_Pn = ((context_Pn + 1.0).log() - self.mean) / self.deviation
        return self.outer(self.inner(z_Pn).relu()).squeeze(-1)
