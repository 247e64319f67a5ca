"""MaskNet: layers whose input is masked by what the instance says."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.mlp import MLP
from legoc.operators.sizes import Sizes


# Widths of the blocks and of the perceptron behind them, where none are given.
BLOCKS: Mapping[str, Sequence[int]] = {"serial": (400, 400, 400), "parallel": (64, 64, 64)}
UNITS: Mapping[str, Sequence[int]] = {"serial": (), "parallel": (1000, 1000, 1000)}


@operator(
    "predict", "MaskNet", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Wang et al., MaskNet: Introducing Feature-Wise Multiplication to CTR Ranking Models by "
    "Instance-Guided Mask, DLP-KDD 2021",
    facts={"dense": ["units"]},
)  # fmt: skip
class MaskNet(nn.Module):
    """Blocks that multiply their input by a mask made from user and candidate.

    M = W_2 ReLU(W_1 [u; c] + b_1) + b_2; a block is ReLU(LN(W (M ⊙ input))). With `serial` blocks
    the first reads the normalised vectors and each next one the block before; with `parallel` ones
    all read the normalised vectors and their outputs are concatenated. A perceptron reads the end.
    """

    class Config:
        structure: Literal["serial", "parallel"] = param(
            "serial", doc="blocks one after the other, or side by side"
        )
        blocks: list[int] | None = param(
            None, min=1, doc="width of each block; none: three of 400 (serial) or 64 (parallel)"
        )
        ratio: float = param(
            1.0, min=0.01, max=100, doc="hidden width of a mask for each value it masks"
        )
        units: list[int] | None = param(
            None, min=1,
            doc="width of each hidden layer behind the blocks; none: no such layer (serial) or "
            "three of 1000 (parallel)",
        )  # fmt: skip
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values")

    example = "predict MaskNet(structure=parallel, blocks=[64, 64, 64], units=[1000, 1000])"

    def __init__(self, config: "MaskNet.Config", sizes: Sizes) -> None:
        super().__init__()
        widths = BLOCKS[config.structure] if config.blocks is None else config.blocks
        units = UNITS[config.structure] if config.units is None else config.units
        raw = sizes.width + sizes.item
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in (sizes.width, sizes.item))
        self.serial = config.structure == "serial"
        self.blocks = nn.ModuleList()
        given = raw
        for width in widths:
            self.blocks.append(MaskBlock(raw, given, width, config.ratio, config.dropout))
            given = width if self.serial else raw
        end = (widths[-1] if self.serial else sum(widths)) if widths else raw
        self.mlp = MLP(end, units, config.dropout)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        raw_PD = torch.cat([user_PD, item_PD], -1)
        fields = zip(self.norms, (user_PD, item_PD), strict=True)
        x_PD = torch.cat([norm(field_PD) for norm, field_PD in fields], -1)
        if not self.serial and len(self.blocks):
            return self.mlp(torch.cat([block(raw_PD, x_PD) for block in self.blocks], -1))
        for block in self.blocks:
            x_PD = block(raw_PD, x_PD)
        return self.mlp(x_PD)


class MaskBlock(nn.Module):
    """ReLU(LN(W (M ⊙ input))) with the mask M = W_2 ReLU(W_1 raw + b_1) + b_2.

    raw: width of what makes the mask. given: of what is masked. made: of the result.
    """

    def __init__(self, raw: int, given: int, made: int, ratio: float, dropout: float) -> None:
        super().__init__()
        hidden = max(1, int(ratio * given))
        self.inner, self.mask = nn.Linear(raw, hidden), nn.Linear(hidden, given)
        self.linear = nn.Linear(given, made, bias=False)
        self.norm = nn.LayerNorm(made)
        self.dropout = Dropout(dropout)

    def forward(self, raw_PD: Tensor, x_PD: Tensor) -> Tensor:
        """[P, raw], [P, given] -> [P, made]."""
        mask_PD = self.mask(self.inner(raw_PD).relu())
        return self.dropout(self.norm(self.linear(mask_PD * x_PD)).relu())
