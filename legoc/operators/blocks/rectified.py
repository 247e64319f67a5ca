"""The Linear in front of a ReLU."""

from torch import nn


class RectifiedLinear(nn.Linear):
    """A Linear whose result goes through a ReLU, initialised to keep the scale of its input.

    Embeddings start as N(0, 0.1²). PyTorch's own initialisation of a Linear would shrink them
    further, below its bias, and items would look alike for the first epochs. He et al., Delving
    Deep into Rectifiers, ICCV 2015.
    """

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)
