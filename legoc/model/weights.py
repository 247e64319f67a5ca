"""The weights that are a model's own: all but the frozen ones of a language model, which stay in
the files they came from."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from legoc.operators.blocks.backbone import Backbone


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The state of a module by name, without what its language model's files hold unchanged."""
    borrowed = borrowed_names(module)
    return {name: value for name, value in module.state_dict().items() if name not in borrowed}


def borrowed_names(module: nn.Module) -> frozenset[str]:
    """The names of frozen weights, and of buffers, within language models."""
    found: set[str] = set()
    for path, part in module.named_modules():
        if isinstance(part, Backbone):
            start = f"{path}." if path else ""
            found.update(f"{start}{n}" for n, p in part.named_parameters() if not p.requires_grad)
            found.update(f"{start}{n}" for n, _ in part.named_buffers())
    return frozenset(found)


def load_own(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Take up a state that `own_tensors` gave. Raises RuntimeError where names or shapes differ, as
    torch does."""
    lacking = sorted(own_tensors(module).keys() ^ tensors.keys())
    if lacking:
        raise RuntimeError(f"`{lacking[0]}` is in one of the two alone")
    with torch.no_grad():
        module.load_state_dict(dict(tensors), strict=False)
