"""Scores that mean something: a temperature and a bias behind the predictor."""

import torch
from torch import Tensor, nn


class Calibration(nn.Module):
    """score / temperature + bias, so that `sigmoid` of it is the chance of a click.

    Both numbers are fitted after training; until then they are 1 and 0 and change nothing. The
    temperature is above zero, so the order of candidates stays as it is.
    """

    temperature: Tensor
    bias: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("bias", torch.zeros(()))

    def put(self, temperature: float, bias: float) -> None:
        """Take up two numbers."""
        self.temperature.fill_(temperature)
        self.bias.fill_(bias)

    def forward(self, scores_P: Tensor) -> Tensor:
        """[P] -> [P]."""
        return scores_P / self.temperature + self.bias
