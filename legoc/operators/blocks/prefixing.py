"""A causal language model in two passes: over what many texts begin with, and over how each ends.

The state of a beginning are the keys and values that the blocks made of its tokens. They are the
library's own, taken where its blocks hand them to a cache, so that what follows is exactly what one
pass over the whole text computes.

Letters: U beginnings, N tokens of them, P endings, T tokens of them, H key-value heads, E width of
a head, W = blocks times 2 H E numbers of a token.
"""

from typing import Any

import torch
from torch import Tensor

from legoc.operators.blocks.backbone import Backbone, opened


def read_prefix(backbone: Backbone, ids_UN: Tensor, mask_UN: Tensor) -> Tensor:
    """The state [U, N, W] of beginnings int[U, N], Bool[U, N]; zeros at padding."""
    cache: Any = make_recorder(backbone.count)
    seen = attending(opened(mask_UN), ids_UN.shape[1])
    backbone.model(input_ids=ids_UN, past_key_values=cache, use_cache=True, **seen)
    parts = [part.transpose(1, 2).flatten(2) for pair in cache.made for part in pair]
    return torch.cat(parts, 2).float().masked_fill(~mask_UN.unsqueeze(-1), 0.0)


def follow(
    backbone: Backbone,
    state_UNW: Tensor,
    mask_UN: Tensor,
    owner_P: Tensor,
    ids_PT: Tensor,
    mask_PT: Tensor,
) -> Tensor:
    """The last states [P, T, made] of endings int[P, T], Bool[P, T] after the beginnings int[P] of
    which `state_UNW` is what `read_prefix` made."""
    cache: Any = make_reader(state_UNW, owner_P, backbone.count)
    before_PN = mask_UN.index_select(0, owner_P)
    seen = attending(torch.cat([before_PN, opened(mask_PT)], 1), ids_PT.shape[1])
    made = backbone.model(input_ids=ids_PT, past_key_values=cache, use_cache=True, **seen)
    return made.last_hidden_state


def read_whole(backbone: Backbone, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
    """The last states [I, L, made] of whole texts, read at once, with positions counted from the
    first real token as in the two passes."""
    seen = attending(opened(mask_IL), ids_IL.shape[1])
    return backbone.model(input_ids=ids_IL, use_cache=False, **seen).last_hidden_state


def state_at(states_IND: Tensor, mask_IN: Tensor, *, last: bool = True) -> Tensor:
    """The state of the last real token, or the first, wherever padding stands: [I, 1, D]; zeros for
    a text without any."""
    places_N = torch.arange(mask_IN.shape[1], device=mask_IN.device)
    if last:
        place_I = torch.where(mask_IN, places_N, 0).amax(1)
    else:
        place_I = torch.where(mask_IN, places_N, mask_IN.shape[1] - 1).amin(1)
    place_I1D = place_I[:, None, None].expand(-1, 1, states_IND.shape[2])
    none_I11 = ~mask_IN.any(1)[:, None, None]
    return states_IND.gather(1, place_I1D).masked_fill(none_I11, 0.0)


def attending(mask: Tensor, last: int) -> dict[str, Tensor]:
    """What a call of the library is told of the real tokens: the mask, and the positions of the
    `last` columns. Padding, wherever it stands, takes no position."""
    if mask.is_meta:
        return on_meta(mask, last)
    place = (mask.long().cumsum(1) - 1).clamp_min(0)
    return {"attention_mask": mask.long(), "position_ids": place[:, mask.shape[1] - last :]}


def on_meta(mask: Tensor, last: int) -> dict[str, Tensor]:
    """The same where numbers cannot be looked at: a mask in its final form."""
    form = torch.zeros(mask.shape[0], 1, last, mask.shape[1], device=mask.device)
    place = torch.arange(last, device=mask.device).expand(mask.shape[0], last)
    return {"attention_mask": form, "position_ids": place}


def make_recorder(count: int) -> Any:
    """A cache that keeps what the blocks hand it, for `count` blocks."""
    from transformers.cache_utils import Cache

    class Recorder(Cache):
        def __init__(self) -> None:
            super().__init__(layers=[])
            self.made: list[tuple[Tensor, Tensor]] = [()] * count  # type: ignore[list-item]

        def update(self, keys: Tensor, values: Tensor, layer: int, *rest: Any) -> Any:
            self.made[layer] = (keys, values)
            return keys, values

        def get_seq_length(self, *rest: Any) -> int:
            return 0

        def get_query_offset(self, *rest: Any) -> int:
            return 0

        def get_mask_sizes(self, length: Any, *rest: Any) -> tuple[Any, int]:
            return length, 0

    return Recorder()


def make_reader(state_UNW: Tensor, owner_P: Tensor, count: int) -> Any:
    """A cache that gives each block what was recorded for it, for the owners of some endings. They
    are gathered block by block: all at once would need the room of all blocks."""
    from transformers.cache_utils import Cache

    length = state_UNW.shape[1]
    each = state_UNW.shape[2] // (2 * count)

    class Reader(Cache):
        def __init__(self) -> None:
            super().__init__(layers=[])

        def update(self, keys: Tensor, values: Tensor, layer: int, *rest: Any) -> Any:
            return tuple(
                torch.cat([self.before(2 * layer + place, made), made], 2)
                for place, made in enumerate((keys, values))
            )

        def before(self, place: int, like: Tensor) -> Tensor:
            part_UNk = state_UNW[:, :, place * each : (place + 1) * each]
            part_PNk = part_UNk.index_select(0, owner_P).to(like.dtype)
            return part_PNk.unflatten(2, (like.shape[1], like.shape[3])).transpose(1, 2)

        def get_seq_length(self, *rest: Any) -> Any:
            return length

        def get_query_offset(self, *rest: Any) -> Any:
            return length

        def get_mask_sizes(self, more: Any, *rest: Any) -> tuple[Any, int]:
            return length + more, 0

    return Reader()
