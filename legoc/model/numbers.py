"""The number type in which the language model of a spec computes while it trains."""

import torch

from legoc.language.ir.checkpoints import reading_model
from legoc.language.ir.spec import Spec


def training_numbers(spec: Spec, device: torch.device) -> str | None:
    """`bfloat16` or `float32` on a device; None without a language model."""
    found = reading_model(spec)
    if found is None:
        return None
    from legoc.operators.blocks.number_type import training_type

    return found[0].args["dtype"] or str(training_type(device)).removeprefix("torch.")
