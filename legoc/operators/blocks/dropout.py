"""Dropout whose masks are cheap to draw on a CPU."""

import numpy as np
import torch
from torch import Tensor, nn

from legoc.operators.blocks.training_forms import trains_on_cpu


# A share is a number of 65,536ths, of which a number of so many bits decides.
BITS = 16
PARTS = 1 << BITS
LARGEST = (1 << 64) - 1


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` with masks from 16 random bits each, where torch on a CPU draws a number
    by the Mersenne Twister: a seventh of the time. The share is rounded to 65,536ths, and values
    are scaled up by what is really kept.

    A mask follows from torch's generator, which is seeded by whoever trains.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        if not (self.training and trains_on_cpu(x)):
            return super().forward(x)
        dropped = drop(x, self.p)
        return super().forward(x) if dropped is None else dropped


def drop(x: Tensor, share: float) -> Tensor | None:
    """`x` without a share of its values, the others scaled up; None for a share of nothing or of
    everything, which needs no mask."""
    dropped = round(share * PARTS)
    return x * draw_mask(x, dropped) if 0 < dropped < PARTS else None


def draw_mask(x: Tensor, dropped: int) -> Tensor:
    """Of the shape and type of `x`: zero for that many 65,536ths, else what keeps the mean."""
    seed = int(torch.randint(1 << 62, ()))
    drawn = np.random.Generator(np.random.SFC64(seed)).integers(
        0, LARGEST, -(-x.numel() * BITS // 64), dtype=np.uint64, endpoint=True
    )
    kept = drawn.view(np.uint16)[: x.numel()] >= dropped
    scale = PARTS / (PARTS - dropped)
    if x.dtype == torch.bfloat16:
        # NumPy has none: a bfloat16 is written by its bits.
        bits = np.uint16(torch.tensor(scale, dtype=x.dtype).view(torch.int16).item())
        mask = torch.from_numpy(np.multiply(kept, bits, dtype=np.uint16)).view(x.dtype)
        return mask.view(x.shape)
    mask = np.multiply(kept, np.float32(scale), dtype=np.float32)
    return torch.from_numpy(mask).view(x.shape).to(x.dtype)
