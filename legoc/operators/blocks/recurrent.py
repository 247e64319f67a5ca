"""The gated recurrent unit, started so that it keeps the scale of what it reads."""

from torch import nn


class GatedUnit(nn.GRU):
    """torch's GRU of one layer over rows first, with other initial weights.

    PyTorch draws all from one range, so that a state starts as the biases of its gates: vectors of
    items are smaller. Here the input's weights are Glorot's gate by gate, those of the state
    orthogonal (Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
    Neural Networks, ICLR 2014) and biases zero.
    """

    def __init__(self, width: int, hidden: int) -> None:
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
