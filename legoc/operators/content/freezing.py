"""Which weights of a language model train."""

from typing import Any

import torch

from legoc.language.ir.checkpoints import Named
from legoc.operators.adapters import LoRA, adapt
from legoc.operators.blocks.backbone import Backbone, reached_parameters
from legoc.operators.content.keeping import Kept, unsplittable


def freeze(backbone: Backbone, config: Any, kept: Kept, named: Named) -> None:
    """Leave only what is tuned with gradients: everything, the blocks from `split` on and what
    follows them, adapters in those, or nothing below a side network. Errors: E0656."""
    if config.side is not None:
        backbone.requires_grad_(False)
    elif config.lora is not None:
        if kept.first == backbone.count:
            raise unsplittable(named, "`lora` has no tuned block to stand in, `split` is the end")
        settings: Any = LoRA
        adapt(backbone, settings.Config(**config.lora.args), kept.first)
    elif config.split is not None:
        tuned = tuned_parameters(backbone, kept.first)
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad_(name in tuned)
            if name in tuned:
                # Frozen weights may be narrow; what is trained is not.
                parameter.data = parameter.data.float()


def tuned_parameters(backbone: Backbone, at: int) -> set[str]:
    """The names of the weights that the states of block `at` pass through."""
    place = next(backbone.parameters()).device
    mask = torch.ones(1, 2, dtype=torch.bool, device=place)
    state = torch.zeros(1, 2, backbone.width, device=place)
    return reached_parameters(lambda: backbone.suffix(state, mask, at), backbone)
