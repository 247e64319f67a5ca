"""The number type in which the language model of a spec computes while it trains."""

import torch

from legoc.language.ir.checkpoints import reading_model
from legoc.language.ir.spec import Spec


def training_numbers(spec: Spec, device: torch.device) -> str | None:
    """`bfloat16` or `float32` on a device; None without a language model of which something trains.
    Below a side network, and where all states of items are kept, nothing does."""
    found = reading_model(spec)
    if found is None:
        return None
    args = found[0].args
    kept = "content" in spec.model and args["split"] == -1 and args["lora"] is None
    if kept or args.get("side") is not None:
        return None
    from legoc.operators.blocks.number_type import training_type

    return args["dtype"] or str(training_type(device)).removeprefix("torch.")
