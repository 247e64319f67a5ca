"""Adapters: few trainable weights beside the frozen ones of a language model."""

import warnings
from collections.abc import Sequence
from typing import Any

from torch import nn

from legoc.language.declaring.declare import operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.operators.blocks.backbone import Backbone


# The projections of queries and values as the families call them, fused ones last.
QUERY_AND_VALUE = (
    ("query", "value"), ("q_proj", "v_proj"), ("q_lin", "v_lin"), ("q", "v"),
    ("query_proj", "value_proj"), ("c_attn",), ("Wqkv",), ("qkv_proj",), ("query_key_value",),
)  # fmt: skip


@operator(
    "adapter", "LoRA", primary="r", shorthand="r",
    paper="Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022",
)  # fmt: skip
class LoRA:
    """W x + (alpha / r) B A dropout(x): only A [r, in] and B [out, r] train, and B starts as zero.

    They stand beside the projections of queries and values in the tuned blocks of a language model,
    and are added into W at export. DIRE is published with r = 32 and alpha = 128.
    """

    class Config:
        r: int = param(8, min=1, doc="rank of the update")
        alpha: int = param(32, min=1, doc="the update is scaled by alpha / r")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values the update reads")
        targets: list[str] | None = param(
            None, since=True,
            doc="names of the Linears of a block; the projections of queries and values unless "
            "given",
        )  # fmt: skip

    example = "content BERT(lora=LoRA(r=8, alpha=16)) -> behavior Additive -> predict Dot"


def adapt(backbone: Backbone, config: Any, first: int) -> None:
    """Put adapters into the blocks from `first` on; all other weights freeze. Errors: E0656 where a
    block has no such Linears."""
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D

    names = find_targets(backbone, config.targets, first)
    turned = isinstance(backbone.model.get_submodule(names[0]), Conv1D)
    settings = LoraConfig(
        r=config.r, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=names,
        fan_in_fan_out=turned,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inject_adapter_in_model(settings, backbone.model)
    for name, part in backbone.model.named_modules():
        if name.rpartition(".")[2].startswith("lora_"):
            # Among pre-trained weights, but fresh: they learn at the rate of all that is.
            part.pretrained = False
    for name, parameter in backbone.model.named_parameters():
        adapts = "lora_" in name
        parameter.requires_grad_(adapts)
        if adapts:
            # Frozen weights may be narrow; what is trained is not.
            parameter.data = parameter.data.float()


def find_targets(backbone: Backbone, wanted: Sequence[str] | None, first: int) -> list[str]:
    """The full names of the modules to adapt."""
    from transformers.pytorch_utils import Conv1D

    linears = [
        f"{backbone.place}.{place}.{name}"
        for place, block in enumerate(backbone.blocks)
        for name, part in block.named_modules()
        if place >= first and isinstance(part, nn.Linear | Conv1D)
    ]
    known = dict.fromkeys(name.rpartition(".")[2] for name in linears)
    for names in (tuple(wanted),) if wanted is not None else QUERY_AND_VALUE:
        if all(name in known for name in names):
            return [name for name in linears if name.rpartition(".")[2] in names]
    asked = "`targets`" if wanted is not None else "projections of queries and values"
    raise fail(
        "E0656",
        f"the tuned blocks of this language model have no {asked} to put LoRA beside",
        f"name some of their Linears, `LoRA(targets=[...])`: {', '.join(known) or 'none'}",
    )


def merge(backbone: Backbone) -> None:
    """Add the adapters into copies of the weights they adapt, and take them out."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, part in list(backbone.model.named_modules()):
        if isinstance(part, BaseTunerLayer):
            base = part.get_base_layer()
            # peft adds in place, and the weight may be shared with a model that keeps its adapters.
            base.weight = nn.Parameter(base.weight.detach().clone(), requires_grad=False)
            part.merge()  # type: ignore[operator]
            parent, _, own = name.rpartition(".")
            setattr(backbone.model.get_submodule(parent), own, base)
