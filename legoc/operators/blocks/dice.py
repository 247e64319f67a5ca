"""Dice, the activation of DIN, with statistics over real positions.

Letters: R rows, D width.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dice(nn.Module):
    """p x + (1 − p) α x with p = σ((x − mean) / √(variance + eps)), α learned and 0 at first.

    In training mean and variance are those of the real rows, or padding would leak into them; in
    evaluation the running ones. Zhou et al., Deep Interest Network, KDD 2018; eps and momentum as
    in FuxiCTR.
    """

    eps = 1e-9
    momentum = 0.01

    # Given where several processes share a batch: the sum of a tensor over all of them.
    across: Callable[[Tensor], Tensor] | None = None

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x_RD: Tensor, mask_R: Tensor) -> Tensor:
        """[R, D], Bool[R] -> [R, D]."""
        if self.training:
            share_RD = torch.sigmoid(self.normalized(x_RD, mask_R))
        else:
            # The operator, not arithmetic: an exporter's optimiser drops so small an addend.
            share_RD = torch.sigmoid(
                functional.batch_norm(x_RD, self.running_mean, self.running_var, eps=self.eps)
            )
        return x_RD * (share_RD + (1.0 - share_RD) * self.alpha)

    def normalized(self, x_RD: Tensor, mask_R: Tensor) -> Tensor:
        """Rows by the statistics of the real ones, which also move the running ones. One real row
        has no variance and moves nothing."""
        real_R1 = mask_R.unsqueeze(-1)
        count, total_D = mask_R.sum(), x_RD.masked_fill(~real_R1, 0.0).sum(0)
        if self.across is not None:
            whole = self.across(torch.cat([total_D, count.to(total_D.dtype).reshape(1)]))
            total_D, count = whole[:-1], whole[-1].detach()
        count = count.clamp_min(1)
        mean_D = total_D / count
        offset_RD = (x_RD - mean_D).masked_fill(~real_R1, 0.0)
        squares_D = offset_RD.square().sum(0)
        if self.across is not None:
            squares_D = self.across(squares_D)
        variance_D = squares_D / count
        with torch.no_grad():
            step = self.momentum * (count > 1)
            unbiased_D = variance_D * count / (count - 1).clamp_min(1)
            self.running_mean.lerp_(mean_D, step.to(mean_D.dtype))
            self.running_var.lerp_(unbiased_D, step.to(mean_D.dtype))
        return offset_RD * (variance_D + self.eps).rsqrt()
