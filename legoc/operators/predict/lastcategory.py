"""More of the same kind.

Letters: I any number of items, P pairs, S clicks, C values of an item.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.counted import FIRST_WORD, pad
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


class Values(nn.Module):
    """An item as the numbers of its values of one attribute, padded with 0; what training never
    showed is no value."""

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        self.length = sizes.width

    def forward(self, ids: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """int[I, C_a] and Bool[I, C_a] of the one attribute -> [I, C]."""
        ids_IC = ids[0].masked_fill(~masks[0] | (ids[0] < FIRST_WORD), 0).float()
        return pad(ids_IC, self.length)


@operator(
    "predict", "LastCategory", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    facts={
        "counts": "nothing", "reads": ["category"], "one": "attribute",
        "width": {"per": "tokens", "times": 1},
    },
)  # fmt: skip
class LastCategory(nn.Module):
    """Whether the candidate is of the category of the newest click.

    The score is 1 where it is of the category of the newest click whose category is known, and
    half the share of all such clicks that are of its category, which orders the rest. It stands
    alone, and there is nothing to train. Items with several values are of one category where they
    share one. It reads the first category in `content` unless `attribute` names another.
    """

    class Config:
        attribute: str | None = param(None, doc="the category to compare; the first unless given")

    example = "predict LastCategory"

    items = Values

    def __init__(self, config: "LastCategory.Config", sizes: Sizes) -> None:
        super().__init__()

    def forward(self, clicks_PSC: Tensor, mask_PS: Tensor, item_PC: Tensor) -> Tensor:
        """[P, S, C], Bool[P, S], [P, C] -> [P]."""
        real_PSC = cleared(clicks_PSC, mask_PS)
        equal_PSCC = real_PSC.unsqueeze(3) == item_PC.unsqueeze(1).unsqueeze(1)
        same_PS = (equal_PSCC & (real_PSC > 0).unsqueeze(3)).any(3).any(2)
        known_PS = (real_PSC > 0).any(2)
        place_S = torch.arange(1, mask_PS.shape[1] + 1, device=item_PC.device)
        place_PS = torch.where(known_PS, place_S, 0)
        newest_PS = known_PS & (place_PS == place_PS.amax(1, keepdim=True))
        match_P = (same_PS & newest_PS).any(1).to(item_PC.dtype)
        known_P = known_PS.to(item_PC.dtype).sum(1)
        share_P = same_PS.to(item_PC.dtype).sum(1) / known_P.clamp_min(1.0)
        return match_P + share_P / 2
