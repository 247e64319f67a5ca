"""Linears whose initial weights keep the scale of what they read.

Embeddings start as N(0, 0.1²). PyTorch's own initialisation of a Linear shrinks its input by √3 and
adds a bias of the same order, so that after two or three of them all items look alike and a dot
product learns nothing for epochs.
"""

from torch import nn


class RectifiedLinear(nn.Linear):
    """A Linear before a ReLU. He et al., Delving Deep into Rectifiers, ICCV 2015."""

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class PlainLinear(nn.Linear):
    """A Linear that nothing follows. Glorot & Bengio, Understanding the Difficulty of Training Deep
    Feedforward Neural Networks, AISTATS 2010."""

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class SmallLinear(nn.Linear):
    """A Linear of a transformer, weights N(0, 0.02²) (Devlin et al., BERT, NAACL 2019).

    Beside a residual connection such a layer starts as almost nothing; after a normalised sum it
    brings values back to the scale of embeddings.
    """

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.02)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def align(*linears: nn.Module) -> None:
    """Let the square ones of some Linears begin as the identity; what is no Linear stays.

    What a behavior operator makes of a history then lies among the vectors of its items from the
    first step, where a dot product compares it with the candidates. Through a random matrix the
    vectors of items have to learn both sides at once, and learn less (docs/operators_quality.md).
    """
    for linear in linears:
        if isinstance(linear, nn.Linear) and linear.in_features == linear.out_features:
            nn.init.eye_(linear.weight)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)
