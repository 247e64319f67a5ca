"""The gated recurrent unit, started so that it keeps the scale of what it reads."""

import torch
from torch import nn


class GatedUnit(nn.GRU):
    """torch's GRU of one layer over rows first, with other initial weights.

    PyTorch draws all from one range, so that a state starts as the biases of its gates: vectors of
    items are smaller. Here the input's weights are Glorot's gate by gate, those of the state
    orthogonal (Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
    Neural Networks, ICLR 2014) and biases zero.

    longest: of a history, where states are to begin among the vectors of what they read, as
    `linear.align` has it: a new state is the input itself where the widths agree, and the units
    keep what they hold for 1 to `longest` places (Tallec & Ollivier, Can Recurrent Neural Networks
    Warp Time?, ICLR 2018), so that together they begin as means over spans of all lengths.
    """

    def __init__(self, width: int, hidden: int, longest: int | None = None) -> None:
        self.longest = longest
        super().__init__(width, hidden, batch_first=True)

    def reset_parameters(self) -> None:
        for name, weight in self.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(weight)
                continue
            for gate in weight.detach().chunk(3):
                if name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(gate)
                else:
                    nn.init.orthogonal_(gate)
        if self.longest is None:
            return
        with torch.no_grad():
            _, keep, _ = self.bias_ih_l0.chunk(3)
            keep.uniform_(1, max(self.longest - 1, 2)).log_()
            if self.input_size == self.hidden_size:
                nn.init.eye_(self.weight_ih_l0[2 * self.hidden_size :])
