"""A convolution over positions as one Linear over shifted copies.

Letters: I any number of rows, L positions, D width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from legoc.operators.blocks.linear import RectifiedLinear
from legoc.operators.blocks.training_forms import Windows, trains_on_cpu


class Convolution(nn.Module):
    """The same-length convolution of an odd window: position i reads i − k//2 to i + k//2, zeros
    beyond the ends. A ReLU is meant to follow.

    Equal to `torch.nn.Conv1d` with `weight[:, j * D + d]` for its `weight[:, d, j]`, as one product
    of matrices in either engine.
    """

    def __init__(self, width: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.linear = RectifiedLinear(kernel * width, filters)

    def forward(self, x_ILD: Tensor) -> Tensor:
        """[I, L, D] -> [I, L, filters]. The caller clears padding before, or it leaks in."""
        if self.kernel == 1:
            return self.linear(x_ILD)
        if trains_on_cpu(x_ILD):
            return self.linear(Windows.apply(x_ILD, self.kernel))
        length, half = x_ILD.shape[1], self.kernel // 2
        padded_IPD = functional.pad(x_ILD, (0, 0, half, half))
        windows = [padded_IPD[:, start : start + length] for start in range(self.kernel)]
        return self.linear(torch.cat(windows, -1))
