"""What the moment of a pair says by itself: a small learned prior that is added to its score.

Letters: P pairs, n numbers of the context.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legoc.data.indexing.log import F32


HIDDEN = 8
# Numbers that hardly differ in training tell nothing, and dividing by less makes them large.
LEAST = 1e-3
# A share nearer to 0 or 1 is taken for this one: beyond it float32 tells 1 - x only roughly.
EDGE = 1e-5


class Prior(nn.Module):
    """p = w ReLU(A z + a) + b, where z = (f(x) - mean) / deviation.

    f of counts and hours is log(1 + x), f of a share its logit, log(x / (1 - x)). Mean and
    deviation are those of the training rows and no weights. The last layer starts at zero, so a
    fresh model scores as it would without. A number that stays at the mean says nothing.

    shares: the columns that are shares.
    """

    def __init__(self, numbers: int, shares: Sequence[int] = ()) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("deviation", torch.ones(numbers))
        share = torch.zeros(numbers, dtype=torch.bool)
        share[list(shares)] = True
        # Known from the spec, so no part of what is saved.
        self.register_buffer("share", share, persistent=False)
        self.shares = bool(len(shares))
        self.inner = nn.Linear(numbers, HIDDEN)
        self.outer = nn.Linear(HIDDEN, 1)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    @torch.no_grad()
    def fill(self, blocks: Iterable[F32]) -> None:
        """Take mean and deviation of the numbers [r, n] of all blocks."""
        count, total, squares = 0, np.zeros(len(self.mean)), np.zeros(len(self.mean))
        for block in blocks:
            x = self.evened(block.astype(np.float64))
            count, total, squares = count + len(x), total + x.sum(0), squares + (x * x).sum(0)
        if not count:
            return
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean * mean, 0))
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(np.where(deviation < LEAST, 1.0, deviation)))

    def evened(self, numbers_rn: NDArray[np.float64]) -> NDArray[np.float64]:
        """f of the numbers, as the graph computes it."""
        shares = np.clip(numbers_rn, EDGE, 1 - EDGE)
        logit = np.log(shares) - np.log(1 - shares)
        return np.where(self.share.cpu().numpy(), logit, np.log1p(numbers_rn))

    @property
    def neutral(self) -> list[float]:
        """For each number the one that says nothing, because it is training's mean."""
        mean = self.mean.double()
        return torch.where(self.share, mean.sigmoid(), mean.expm1()).tolist()

    def forward(self, context_Pn: Tensor) -> Tensor:
        """Counts, hours and shares F[P, n] -> F[P]."""
        x_Pn = (context_Pn + 1.0).log()
        if self.shares:
            share_Pn = context_Pn.clamp(EDGE, 1 - EDGE)
            x_Pn = torch.where(self.share, share_Pn.log() - (1.0 - share_Pn).log(), x_Pn)
        z_Pn = (x_Pn - self.mean) / self.deviation
        return self.outer(self.inner(z_Pn).relu()).squeeze(-1)
