"""A weighted mean that forgets."""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.sizes import Sizes


@operator("behavior", "Recent", "Seq[Vec[d]] -> Vec[d]")
class Recent(nn.Module):
    """A mean of the clicks in which each counts `decay` times the one after it.

    w_i = decay^(real clicks after i); the user is Σ w_i x_i / Σ w_i, zero for an empty history.
    """

    class Config:
        decay: float = param(0.9, min=0, max=1, doc="weight of a click against the next one")

    example = "behavior Recent(decay=0.9)"

    def __init__(self, config: "Recent.Config", sizes: Sizes) -> None:
        super().__init__()
        self.decay = config.decay

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, D]."""
        real_BS = mask_BS.to(clicks_BSD.dtype)
        later_BS = real_BS.sum(1, keepdim=True) - real_BS.cumsum(1)
        weight_BS = torch.pow(torch.full_like(real_BS, self.decay), later_BS) * real_BS
        summed_BD = (clicks_BSD.masked_fill(~mask_BS[..., None], 0.0) * weight_BS[..., None]).sum(1)
        return summed_BD / weight_BS.sum(1, keepdim=True).clamp_min(1e-9)
