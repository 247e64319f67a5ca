"""Where a loss that is not finite comes from: the first tensor on the way to it that is not."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from legoc.data.batching.batch import Batch
from legoc.model.weights import own_tensors


ITSELF = "the loss, of scores that are finite"


def find_broken(module: nn.Module, batch: Batch, run: Callable[[], object]) -> str:
    """What is not finite first, in words: a weight, an array of the batch, or what a part of the
    model gives while `run` goes forward; the loss where none of these is."""
    for name, value in own_tensors(module).items():
        if not finite(value):
            return f"the weight `{name}`"
    # The way forward is gone in any case: other processes may wait for its sums.
    broken = (name for name, value in arrays(batch) if not np.isfinite(value).all())
    found = [f"`{name}` of the batch" for name in broken]
    names = {part: name for name, part in module.named_modules()}

    def look(part: nn.Module, given: Any, made: Any) -> None:
        if not found and not all(finite(value) for value in tensors(made)):
            name = names[part]
            kind = type(part).__name__
            found.append(f"what `{name}` ({kind}) gives" if name else "the scores")

    hooks = [part.register_forward_hook(look) for part in names]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else ITSELF


def finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(torch.isfinite(value).all())


def tensors(made: Any) -> Iterator[Tensor]:
    """The tensors in what a module gives."""
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, Mapping):
        for value in made.values():
            yield from tensors(value)
    elif isinstance(made, tuple | list):
        for value in made:
            yield from tensors(value)


def arrays(batch: Batch) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a batch that hold fractions, by name."""
    for name, value in (
        ("labels", batch.labels), ("context", batch.context), ("offsets", batch.offsets)
    ):  # fmt: skip
        if value is not None:
            yield name, value
    for bucket in batch.buckets:
        for name, value in bucket.items():
            given = np.asarray(value)
            if np.issubdtype(given.dtype, np.floating):
                yield name, given
