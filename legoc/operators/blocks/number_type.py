"""The number type in which a model computes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from legoc.operators.blocks.library_forms import library_forms


class NumberType(nn.Module):
    """A number type that `module.float()` widens, and with it the whole computation.

    Without one, a training computes in what the machine is fastest in and all else in float32: the
    steps of a training are noisy anyhow, and what is measured, kept and exported is the same on
    every machine.
    """

    def __init__(self, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.chosen = dtype is None
        self.declared = dtype or torch.float32
        self.register_buffer("value", torch.zeros((), dtype=self.declared), persistent=False)

    @contextmanager
    def computing(self, device: torch.device) -> Iterator[None]:
        """Within it products are made in this type, and dropout in training in the way that is fast
        on this device; float32 and the meta device need nothing."""
        dtype = self.get_buffer("value").dtype
        if self.chosen and self.training and torch.is_grad_enabled():
            dtype = training_type(device)
        if device.type == "meta":
            yield
            return
        with (
            torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32),
            library_forms(self.training, device),
        ):
            yield


def training_type(device: torch.device) -> torch.dtype:
    """What a training computes in where its recipe leaves that to the machine: bfloat16 on a CPU
    with instructions for it, float32 elsewhere."""
    narrow = device.type == "cpu" and multiplies_bfloat16()
    return torch.bfloat16 if narrow else torch.float32


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions that multiply numbers of bfloat16. Where it has none, torch
    widens them one by one, and is slower than with float32."""
    if not torch.backends.mkldnn.is_available():
        return False
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)
