"""The number type in which a model computes."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn


class NumberType(nn.Module):
    """A number type that `module.float()` widens, and with it the whole computation."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.declared = dtype
        self.register_buffer("value", torch.zeros((), dtype=dtype), persistent=False)

    def computing(self, device: torch.device) -> AbstractContextManager[Any]:
        """Within it products are made in this type; float32 and the meta device need nothing."""
        dtype = self.get_buffer("value").dtype
        if dtype == torch.float32 or device.type == "meta":
            return nullcontext()
        return torch.autocast(device.type, dtype=dtype)
