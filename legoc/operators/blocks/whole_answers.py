"""Models that are asked about each pair as one whole text, and what they have to answer from.

The vocabulary head of the library is taken away: what is left of a model makes the state that the
head would have read, whatever comes before it: a transform in BERT, a scale in T5.

Letters: P pairs, N tokens of their texts, D width of what the head reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.ir.asking_forms import decodes_apart, reads_both_ways
from legoc.language.ir.checkpoints import Named
from legoc.operators.blocks.answering import Head, finish, is_close, open_head, refused
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.prefixing import read_whole
from legoc.operators.blocks.pretrained import is_there, open_as, read_config


class Asked(nn.Module):
    """A causal model: its last states are what the head reads."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.width = backbone.made

    def forward(self, backbone: Backbone, ids_PN: Tensor, mask_PN: Tensor) -> tuple[Tensor, Tensor]:
        """Whole texts int[P, N], Bool[P, N] -> what the head reads [P, N, D], and where it is."""
        return read_whole(backbone, ids_PN, mask_PN), mask_PN


class AskedAround(nn.Module):
    """A model with parts between its backbone and its head, or with a decoder behind it.

    These parts are modules of this one. The library's model, which knows how to call them, is held
    beside: as a module it would have every weight of the backbone a second time.
    """

    def __init__(self, whole: Any, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.width = width
        self.decodes = decodes_apart(whole.config.to_dict())
        self.start = int(getattr(whole.config, "decoder_start_token_id", None) or 0)
        self.held = (whole,)
        for name, part in parts_around(whole, backbone.model):
            self.add_module(name.replace(".", "_"), part)

    def forward(self, backbone: Backbone, ids_PN: Tensor, mask_PN: Tensor) -> tuple[Tensor, Tensor]:
        """Whole texts int[P, N], Bool[P, N] -> what the head reads [P, N, D], and where it is; of a
        model that writes a text of its own, at the first word of that, [P, 1, D]."""
        (whole,) = self.held
        if not self.decodes:
            return whole(input_ids=ids_PN, **backbone.seen(ids_PN, mask_PN)).logits, mask_PN
        states = backbone(ids_PN, mask_PN)
        begun = torch.full_like(ids_PN[:, :1], self.start)
        # Where numbers cannot be looked at nothing is masked.
        seen = {} if ids_PN.is_meta else backbone.seen(ids_PN, mask_PN)
        made = whole(
            encoder_outputs=(states,), decoder_input_ids=begun, use_cache=False, **seen
        ).logits
        return made, torch.ones_like(begun, dtype=torch.bool)


Answering = Asked | AskedAround


def parts_around(whole: nn.Module, inner: nn.Module, path: str = "") -> Iterator[Any]:
    """The outermost modules of a model, with their paths, that have weights and are neither its
    backbone nor shared with it."""
    shared = {id(parameter) for parameter in inner.parameters()}
    for name, part in whole.named_children():
        if part is inner:
            continue
        here = f"{path}{name}"
        if any(each is inner for each in part.modules()):
            yield from parts_around(part, inner, f"{here}.")
        elif any(id(parameter) not in shared for parameter in part.parameters()):
            yield here, part


def open_asked(named: Named, dtype: torch.dtype) -> tuple[nn.Module, Answering, Head]:
    """What reads a whole text, in evaluation mode: the model below the head, what lies around it,
    and the head. Errors: E0650, E0651 and E0655 as `open_model`, and E0639 for a model that has no
    head to tell a word with."""
    config = read_config(named).to_dict() if is_there(named) else {}
    if not reads_both_ways(config) and not decodes_apart(config):
        whole, head = open_head(named, dtype)
        expected = own_logits(named, whole, head, begun=None)
        model: Any = whole.base_model
        asked: Answering = Asked(Backbone(model))
    else:
        decodes = decodes_apart(config)
        whole, head = open_beside(named, dtype, decodes=decodes)
        model = whole.get_encoder() if decodes else whole.base_model
        asked = AskedAround(whole, Backbone(model), head.weight.shape[1])
        expected = own_logits(named, whole, head, begun=asked.start if decodes else None)
        take_away(whole, whole.get_output_embeddings())
    if expected is not None:
        verify_asked(named, model, asked, head, expected)
    return model, asked, head


def open_beside(named: Named, dtype: torch.dtype, *, decodes: bool) -> tuple[Any, Head]:
    """A model that fills masks or writes a text, and its head."""
    from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    family = AutoModelForSeq2SeqLM if decodes else AutoModelForMaskedLM
    whole: Any = open_as(named, dtype, lambda config: (family, {}))
    found = whole.get_output_embeddings()
    if found is None:
        raise refused(named, "it has no head that tells a word")
    bias = getattr(found, "bias", None)
    return whole, Head(
        weight=found.weight.detach(), bias=None if bias is None else bias.detach()
    )  # fmt: skip


def take_away(whole: nn.Module, part: nn.Module) -> None:
    """Hand on what a part of a model would have read. The library's own way to replace a head wants
    one with weights."""
    place = next(name for name, each in whole.named_modules() if each is part)
    parent, _, own = place.rpartition(".")
    setattr(whole.get_submodule(parent), own, nn.Identity())


def sample_text() -> tuple[Tensor, Tensor]:
    """Ids int[1, 11] of a text, and its mask."""
    ids = torch.arange(11).view(1, 11) * 7 % 37 + 5
    return ids, torch.ones_like(ids, dtype=torch.bool)


def own_logits(named: Named, whole: Any, head: Head, *, begun: int | None) -> Tensor | None:
    """The library's own logits [V] at the end of the sample; None of a bare shape. begun: what the
    text of a model that writes one begins with."""
    if head.weight.device.type == "meta":
        return None
    more = {} if begun is None else {"decoder_input_ids": torch.full((1, 1), begun)}
    with trying(named), torch.no_grad():
        return whole(input_ids=sample_text()[0], **more).logits[0, -1].float()


def verify_asked(named: Named, model: Any, asked: Answering, head: Head, expected: Tensor) -> None:
    """That what is left without the head, and rows of the head, give the library's own logits."""
    with trying(named), torch.no_grad():
        last = asked(Backbone(model), *sample_text())[0][0, -1].float()
        product = last @ head.weight.float().T
        made = finish(head, product if head.bias is None else product + head.bias)
    if not is_close(head, made, expected):
        raise refused(named, "its head reads other states than it is given")


@contextmanager
def trying(named: Named) -> Iterator[None]:
    """What a library's model raises where it is driven in parts is anybody's guess."""
    try:
        yield
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise refused(named, f"it is not read without its head ({lines[0][:160]})") from None
