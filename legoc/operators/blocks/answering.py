"""The rows of a vocabulary head that are asked for, and how a model makes logits of them.

The head itself, a row per token of the vocabulary, is never run on a text nor exported.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.prefixing import follow, read_prefix


# Differences beyond this share of the largest logit are none of rounding.
CLOSE = 1e-4
# The same in narrow numbers.
NARROW = 3e-2


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head's weight [V, D] and bias [V], and what the library makes of a product z: it is scaled,
    and with a `cap` drawn towards it, cap * tanh(z / cap)."""

    weight: Tensor
    bias: Tensor | None
    scale: float = 1.0
    cap: float | None = None


def open_answering(named: Named, dtype: torch.dtype, width: int) -> tuple[nn.Module, Head]:
    """A causal model without its head, and the head. width: numbers of a token's state.

    Errors: E0650, E0651 and E0655 as `open_model`, and E0639 for a model that is none, or that does
    not keep keys and values of tokens.
    """
    whole, head = open_head(named, dtype)
    model: Any = whole.base_model
    if head.weight.device.type != "meta":
        verify(named, whole, Backbone(model), head, width)
    return model, head


def open_head(named: Named, dtype: torch.dtype) -> tuple[Any, Head]:
    """A causal model, head and all, and the head by itself."""
    from legoc.operators.blocks.pretrained import open_causal

    whole: Any = open_causal(named, dtype)
    found = whole.get_output_embeddings()
    text = whole.config.get_text_config()
    head = Head(
        weight=found.weight.detach(),
        bias=None if getattr(found, "bias", None) is None else found.bias.detach(),
        scale=float(getattr(text, "logit_scale", None) or 1.0)
        / float(getattr(text, "logits_scaling", None) or 1.0),
        cap=getattr(text, "final_logit_softcapping", None),
    )
    return whole, head


def verify(named: Named, whole: Any, backbone: Backbone, head: Head, width: int) -> None:
    """That reading in two passes, and rows of the head, give the library's own logits."""
    rows = backbone.model.config.get_text_config().vocab_size  # type: ignore[union-attr]
    ids = (torch.arange(11) * 7 + 5) % rows
    begun, ended = ids[None, :7], ids[None, 7:]
    try:
        with torch.no_grad():
            expected = whole(input_ids=ids[None], use_cache=False).logits[0, -1].float()
            state = read_prefix(backbone, begun, torch.ones_like(begun).bool())
            owner = torch.zeros(1, dtype=torch.int64)
            last = follow(
                backbone, state, torch.ones_like(begun).bool(), owner, ended,
                torch.ones_like(ended).bool(),
            )[0, -1].float()  # fmt: skip
    # What a library's model raises where it is driven in parts is anybody's guess.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise refused(
            named, f"it does not go on from what it has read ({lines[0][:160]})"
        ) from None
    if state.shape[-1] != width:
        raise refused(named, "its blocks keep other numbers than its config.json tells")
    made = finish(head, last @ head.weight.float().T + (0 if head.bias is None else head.bias))
    if not is_close(head, made, expected):
        raise refused(named, "what it reads in two passes is not what it reads at once")


def is_close(head: Head, made: Tensor, expected: Tensor) -> bool:
    """Whether logits are those that are expected, but for rounding."""
    apart = float((made - expected).abs().max())
    most = CLOSE if head.weight.dtype == torch.float32 else NARROW
    return apart <= most * max(1e-3, float(expected.abs().max()))


def finish(head: Head, product: Tensor) -> Tensor:
    """Logits of products of states and rows."""
    scaled = product * head.scale
    return scaled if head.cap is None else head.cap * torch.tanh(scaled / head.cap)


def refused(named: Named, why: str) -> Exception:
    return fail(
        "E0639",
        f"`{named.shown}` cannot answer: {why}",
        "name a causal model with attention in every block, such as Llama, Qwen, Mistral, OPT or "
        "GPT-2, or one that fills masks, such as BERT",
    )
