"""What a library's own model computes dropout by, while it trains on a CPU.

torch draws a mask by one number of the Mersenne Twister for each value, and its attention with
dropout has no kernel of its own. Both are found by their functions, wherever in the model they are
called, so that no family of models has to be known.

Letters: I any number of items, H heads, Q queries, L keys, E width of a head.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from legoc.operators.blocks.dropout import drop
from legoc.operators.blocks.training_forms import KEYS, trains_on_cpu


class LibraryForms(TorchFunctionMode):
    """Within it `nn.Dropout` and its functions draw masks as `Dropout` does, and attention with
    dropout is written out. Everything else is as it was."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = {} if kwargs is None else kwargs
        ours = FORMS.get(func)
        made = None if ours is None else ours(*args, **given)
        return func(*args, **given) if made is None else made


def library_forms(training: bool, device: torch.device) -> AbstractContextManager[Any]:
    """`LibraryForms` where a model trains on a CPU, else nothing."""
    trains = training and torch.is_grad_enabled() and not torch.compiler.is_compiling()
    return LibraryForms() if trains and device.type == "cpu" else nullcontext()


def recomputing() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Around a block whose values are not kept, and around its second run in the backward pass,
    which has to draw the same masks by the same functions."""
    first = Noting()
    return first, Again(first)


class Noting(AbstractContextManager[None]):
    """Notes whether `LibraryForms` are in force."""

    def __init__(self) -> None:
        self.within = False

    def __enter__(self) -> None:
        modes = torch.overrides._get_current_function_mode_stack()
        self.within = any(isinstance(mode, LibraryForms) for mode in modes)

    def __exit__(self, *_: object) -> None:
        pass


class Again(AbstractContextManager[None]):
    """`LibraryForms` where they were in force."""

    def __init__(self, first: Noting) -> None:
        self.first = first

    def __enter__(self) -> None:
        self.mode = LibraryForms() if self.first.within else nullcontext()
        self.mode.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.mode.__exit__(*error)


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor | None:
    """`functional.dropout`, or None where it is to be torch's."""
    if inplace or not training or not trains_on_cpu(input):
        return None
    return drop(input, p)


def plain_dropout(input: Tensor, p: float, train: bool) -> Tensor | None:
    """`torch.dropout`, or None where it is to be torch's."""
    return dropout(input, p, train)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor | None:
    """`functional.scaled_dot_product_attention` of [I, H, Q, E], or None where it is to be torch's:
    without dropout, which its fused kernel does, or in another form than that."""
    if not dropout_p or query.dim() != 4 or is_causal or not trains_on_cpu(query):
        return None
    if attn_mask is not None and attn_mask.requires_grad:
        return None
    if enable_gqa and query.shape[1] != key.shape[1]:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    if not query.shape[:2] == key.shape[:2] == value.shape[:2]:
        return None
    items, heads, queries, width = query.shape
    keys = key.shape[2]
    more = max(KEYS - keys, 0)
    bias = added(attn_mask, query, keys, more)
    if bias is None:
        return None
    if more:
        key, value = (functional.pad(each, (0, 0, 0, more)) for each in (key, value))
    scores = torch.baddbmm(
        bias.expand(items, heads, queries, keys + more).reshape(items * heads, queries, -1),
        query.reshape(items * heads, queries, width),
        key.reshape(items * heads, keys + more, width).transpose(1, 2),
        alpha=1.0 / math.sqrt(width) if scale is None else scale,
    )
    softmax = scores.softmax(-1)
    dropped = drop(softmax, dropout_p)
    weights = functional.dropout(softmax, dropout_p) if dropped is None else dropped
    mixed = torch.bmm(weights, value.reshape(items * heads, keys + more, -1))
    return mixed.view(items, heads, queries, -1)


def added(mask: Tensor | None, query: Tensor, keys: int, more: int) -> Tensor | None:
    """What the scores of each query begin with, [..., Q or 1, L + more]; None where a query sees no
    key at all, which torch answers in a way of its own."""
    lowest = torch.finfo(query.dtype).min
    if mask is None:
        bias = query.new_zeros(1, 1, 1, keys + more)
    elif mask.dtype == torch.bool:
        if not bool(mask.any(-1).all()):
            return None
        bias = query.new_full((*mask.shape[:-1], keys + more), lowest)
        bias[..., :keys].masked_fill_(mask, 0.0)
    else:
        bias = functional.pad(mask.to(query.dtype), (0, more))
    if more:
        bias[..., keys:] = lowest
    return bias


FORMS: Mapping[Any, Callable[..., Tensor | None]] = {
    functional.dropout: dropout,
    torch.dropout: plain_dropout,
    functional.scaled_dot_product_attention: attention,
}
