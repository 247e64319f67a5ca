"""How a cross network and perceptrons over the same input are put together.

Letters: P pairs, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legoc.operators.blocks.mlp import Layers


class DeepCross(nn.Module):
    """`stacked`: a perceptron over the crosses. `parallel`: the crosses beside a perceptron over
    the input. `stacked_parallel`: a perceptron over the crosses beside one over the input. A Linear
    over what there is gives the logit.

    cross: [P, D] -> [P, D]. The perceptron beside it reads the input and never the crosses, which
    would make `parallel` a second form of `stacked`.
    """

    def __init__(
        self,
        cross: nn.Module,
        width: int,
        *,
        structure: str,
        units: Sequence[int],
        dropout: float,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.cross = cross
        above = () if structure == "parallel" else units
        self.above = Layers(width, above, dropout, batch_norm=batch_norm)
        stacked = structure == "stacked"
        self.beside = None if stacked else Layers(width, units, dropout, batch_norm=batch_norm)
        beside = self.beside.width if self.beside is not None else 0
        self.output = nn.Linear(self.above.width + beside, 1)

    def forward(self, x_PD: Tensor) -> Tensor:
        """[P, D] -> [P]."""
        made = self.above(self.cross(x_PD))
        if self.beside is not None:
            made = torch.cat([made, self.beside(x_PD)], -1)
        return self.output(made).squeeze(-1)
