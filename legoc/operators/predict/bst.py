"""Behavior Sequence Transformer: clicks and candidate attend to each other."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from legoc.language.declaring.declare import Divides, Needs, operator, param
from legoc.operators.blocks.attention import SelfAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.masking import cleared, masked_mean
from legoc.operators.blocks.mlp import MLP
from legoc.operators.blocks.positions import Positions, places_back
from legoc.operators.sizes import Sizes


LEAK = 0.01


@operator(
    "predict", "BST", "(Seq[Vec[d]], Vec[d]) -> Score", version=2, tasks=("ranking",),
    paper="Chen et al., Behavior Sequence Transformer for E-commerce Recommendation in Alibaba, "
    "DLP-KDD 2019",
    facts={"dense": ["units"]},
)  # fmt: skip
class BST(nn.Module):
    """Transformer blocks over the clicks followed by the candidate, then a perceptron.

    A learned vector per position is added first. Positions count back from the candidate, as time
    differences do in the paper (unconfirmed), so a longer history renumbers nothing. The perceptron
    reads the mean of all outputs or that of the candidate, and the candidate itself beside it, as
    in FuxiCTR; all outputs side by side would need histories of one length. Vectors of items are
    multiplied by √d first, or they would be small beside what a block makes, which is normalised.
    An empty history leaves the candidate alone.
    """

    class Config:
        layers: int = param(1, min=1, doc="transformer blocks")
        heads: int = param(8, min=1, doc="attention heads")
        inner: int = param(inherit="d", min=1, doc="inner width of a block; the width unless given")
        pool: Literal["mean", "candidate"] = param(
            "mean", doc="what is read of the outputs: their mean, or the candidate's"
        )
        units: list[int] = param([1024, 512, 256], min=1, doc="width of each hidden layer")
        dropout: float = param(0.2, min=0, max=1, doc="share of zeroed hidden values")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Divides("heads", "d"), Needs("batch_norm", "units"))
    example = "predict BST(heads=8, units=[1024, 512, 256])"

    def __init__(self, config: "BST.Config", sizes: Sizes) -> None:
        super().__init__()
        self.scale = math.sqrt(sizes.width)
        self.positions = Positions(sizes.width, 1 + sizes.clicks)
        self.blocks = nn.ModuleList(
            Block(sizes.width, config.inner, config.heads, config.dropout)
            for _ in range(config.layers)
        )
        self.pool = config.pool
        self.mlp = MLP(
            2 * sizes.width, config.units, config.dropout, leak=LEAK, batch_norm=config.batch_norm
        )

    def forward(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """Clicks of each pair's user [P, S, D], Bool[P, S], candidates [P, D] -> [P]."""
        item_PD = item_PD * self.scale
        clicks_PSD = cleared(clicks_PSD, mask_PS) * self.scale
        x_PTD = torch.cat([item_PD.unsqueeze(1), clicks_PSD], 1)
        real_PT = torch.cat([torch.ones_like(mask_PS[:, :1]), mask_PS], 1)
        x_PTD = x_PTD + self.positions.at(places(mask_PS))
        for block in self.blocks:
            x_PTD = block(x_PTD, real_PT)
        end_PD = x_PTD[:, 0] if self.pool == "candidate" else masked_mean(x_PTD, real_PT)
        return self.mlp(torch.cat([end_PD, item_PD], -1))


def places(mask_PS: Tensor) -> Tensor:
    """Bool[P, S] -> int[P, 1 + S]: 0 for the candidate, 1 for the newest click, and so on; 0 at
    padding."""
    return functional.pad((places_back(mask_PS) + 1).masked_fill(~mask_PS, 0), (1, 0))


class Block(nn.Module):
    """A post-norm transformer block: y = LN(x + attention(x)), z = LN(y + W_2 leaky(W_1 y)).

    Letters: P pairs, T = candidate and clicks, D width.
    """

    def __init__(self, width: int, inner: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attend = SelfAttention(width, heads)
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = Dropout(dropout)

    def forward(self, x_PTD: Tensor, mask_PT: Tensor) -> Tensor:
        """[P, T, D], Bool[P, T] of real keys -> [P, T, D]. Outputs at padding mean nothing."""
        x_PTD = self.norms[0](x_PTD + self.dropout(self.attend(x_PTD, mask_PT)))
        inner_PTD = functional.leaky_relu(self.widen(x_PTD), LEAK)
        return self.norms[1](x_PTD + self.dropout(self.narrow(inner_PTD)))
