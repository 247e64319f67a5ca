"""A training batch on the model's device.

Letters: B batch, S clicks, K candidates, U distinct items.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from legoc.data.batching.batch import Batch
from legoc.data.reading.inputs import Array


@dataclass(frozen=True, kw_only=True)
class TensorBatch:
    """A `legoc.data` batch as tensors; clicks and candidates are 1 + position among the
    distinct items, 0 where there is none."""

    buckets: tuple[Mapping[str, Tensor], ...]
    items: Tensor  # int32[U]
    clicks: Tensor  # int32[B, S]
    candidates: Tensor  # int32[B, K]
    users: Tensor  # int32[B]
    labels: Tensor  # float32[B, K]
    context: Tensor | None = None  # float32[B, K, n]

    @property
    def mask(self) -> Tensor:
        """Bool[B, S], True where there is a click."""
        return self.clicks > 0


def to_tensors(batch: Batch, device: torch.device | str = "cpu") -> TensorBatch:
    """The batch on a device. On the CPU the tensors share the arrays' memory where they can."""
    return TensorBatch(
        buckets=tuple(to_inputs(bucket, device) for bucket in batch.buckets),
        items=to_tensor(batch.items, device),
        clicks=to_tensor(batch.clicks, device),
        candidates=to_tensor(batch.candidates, device),
        users=to_tensor(batch.users, device),
        labels=to_tensor(batch.labels, device),
        context=None if batch.context is None else to_tensor(batch.context, device),
    )


def to_inputs(inputs: Mapping[str, Array], device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The inputs of an item encoder, by name, on a device."""
    return {name: to_tensor(array, device) for name, array in inputs.items()}


def to_tensor(array: Array, device: torch.device | str = "cpu") -> Tensor:
    """One array on a device; a read-only one (memory-mapped) is copied, as tensors are writable."""
    given = np.asarray(array)
    if given.dtype == np.uint16:
        # NumPy has no bfloat16: its bits travel as whole numbers.
        return torch.from_numpy(given.copy()).view(torch.bfloat16).to(device)
    if not given.flags.writeable or any(stride < 0 for stride in given.strides):
        given = given.copy()
    return torch.from_numpy(given).to(device)
