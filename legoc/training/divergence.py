"""Losses that have left all bounds: found, and worded."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Train


# A loss so many times that of the untrained model has no way back that is worth waiting for. Below,
# a loss that is more than twice the untrained one at the best epoch is said.
EXPLODED, WORSE = 1e4, 2.0
# What counts as the loss of the untrained model at the least: a fine-tuned one may begin near zero.
LEAST = 0.1


def verify_loss(
    loss: float,
    first: float | None,
    train: Train,
    *,
    epoch: int,
    step: int,
    trace: Callable[[], str],
) -> None:
    """E0550 where a loss is not finite, or where it has exploded: `first` is that of the first
    update, None before it. step: from 0. trace: finds what was not finite first."""
    place = f"at epoch {epoch}, step {step + 1}"
    if not math.isfinite(loss):
        raise fail(
            "E0550", f"the loss is not finite {place}", remedies(train),
            notes=(f"what was not finite first: {trace()}",),
        )  # fmt: skip
    if first is not None and loss > EXPLODED * max(first, LEAST):
        raise fail(
            "E0550",
            f"the loss has grown from {first:.4g} to {loss:.4g} {place}",
            remedies(train),
        )


def verify_weights(tensors: Mapping[str, Tensor], train: Train, *, epoch: int) -> None:
    """E0550 where a weight is not finite, which no loss has shown yet."""
    broken = next((n for n, value in tensors.items() if not torch.isfinite(value).all()), None)
    if broken is not None:
        raise fail(
            "E0550",
            f"the weight `{broken}` is not finite after epoch {epoch}",
            remedies(train),
        )


def is_worse(loss: float | None, first: float | None) -> bool:
    """Whether the mean loss of an epoch is far above that of the untrained model."""
    return loss is not None and first is not None and loss > WORSE * max(first, LEAST)


def remedies(train: Train) -> str:
    ways = [f"lower `lr` (now {train.lr:g})"]
    ways.append("limit the gradient with `clip=1.0`" if train.clip is None else "lower `clip`")
    if not train.warmup:
        ways.append("warm up with `warmup=5%`")
    return "; or ".join(ways)
