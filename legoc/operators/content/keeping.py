"""What of a language model never changes in training, and is kept per item.

Letters: I any number of items, L tokens, W width of the language model, K layers.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.checkpoints import Named
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.masking import masked_mean
from legoc.operators.blocks.stand_ins import Unfollowed
from legoc.operators.side import chosen_layers


# Differences beyond this share of the largest state are none of rounding.
CLOSE = 1e-4
# The same of states that padding should not reach; narrow numbers round by as much.
PADDED = 1e-2


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Nothing: every block may be tuned."""

    by_token = True
    first = 0

    def below(self, backbone: Backbone, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        raise TypeError("nothing of this model is kept")

    def above(self, backbone: Backbone, state: Tensor, mask: Tensor) -> Tensor:
        raise TypeError("nothing of this model is kept")

    def release(self, backbone: Backbone) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The states of tokens that the first tuned block reads; `first` is the number of blocks where
    none is."""

    first: int

    by_token = True

    @property
    def key(self) -> int:
        """What tells it from other parts of the same model."""
        return self.first

    def below(self, backbone: Backbone, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """int[I, L], Bool[I, L] -> [I, L, W]."""
        return backbone.prefix(ids_IL, mask_IL, self.first)

    def above(self, backbone: Backbone, state: Tensor, mask: Tensor) -> Tensor:
        """[I, L, W], Bool[I, L] -> the last states."""
        return backbone.suffix(state, mask, self.first)

    def release(self, backbone: Backbone) -> None:
        """Drop the blocks below. Where `above` asks one for more than its form (the positions of
        T5), that part stays."""
        backbone.drop(self.first)


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The mean state of an item after each of some blocks."""

    layers: tuple[int, ...]

    by_token = False
    first = 0

    @property
    def key(self) -> list[int]:
        """What tells it from other parts of the same model."""
        return list(self.layers)

    def below(self, backbone: Backbone, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """int[I, L], Bool[I, L] -> [I, K, W]."""
        states = backbone.every_state(ids_IL, mask_IL)
        return torch.stack([masked_mean(states[k].float(), mask_IL) for k in self.layers], 1)

    def above(self, backbone: Backbone, state: Tensor, mask: Tensor) -> Tensor:
        raise TypeError("a side network reads what is kept; no block follows")

    def release(self, backbone: Backbone) -> None:
        backbone.model.to("meta")


Kept = Whole | Cut | Layers


def keep(backbone: Backbone, config: Any, named: Named) -> Kept:
    """The part that settings leave as it is, tried on this very model. Errors: E0656, and E0659
    where the model cannot read items."""
    try:
        verify_reads(backbone)
    # What a library's model raises where it lacks an input is anybody's guess.
    except Exception as error:
        raise fail(
            "E0659",
            f"the language model `{named.shown}` does not read an item's tokens alone: "
            f"{first_line(error)}",
            "choose another model; docs/language_models.md lists the families that can be read",
        ) from None
    if config.split is None and config.side is None and config.lora is None:
        return Whole()
    if backbone.place is None:
        raise unsplittable(named, f"it has no single list of {backbone.count} blocks")
    try:
        if config.side is not None:
            verify_layers(backbone)
            return Layers(layers=tuple(chosen_layers(backbone.count, config.side.args["step"])))
        if config.split is None:
            return Whole()
        at = config.split if config.split >= 0 else backbone.count + 1 + config.split
        if not 0 <= at <= backbone.count:
            outside = f"`split={config.split}` lies outside its {backbone.count} blocks"
            raise unsplittable(named, outside)
        verify_cut(backbone, at)
        return Cut(first=at)
    except LegoError:
        raise
    except Unfollowed as reason:
        raise unsplittable(named, str(reason)) from None
    # What a library's model raises where it is driven in parts is anybody's guess.
    except Exception as error:
        why = f"its blocks pass on more than states ({first_line(error)})"
        raise unsplittable(named, why) from None


def verify_reads(backbone: Backbone) -> None:
    """That the model makes a state of each token, whatever stands at padding. Unfollowed, or what
    the library raises, where it does not."""
    if on_meta(backbone):
        return
    ids, mask = samples(backbone)
    with torch.no_grad():
        made = backbone(ids, mask)
        if made.shape != (*ids.shape, backbone.made):
            raise Unfollowed("it does not make a state of each token")
        again = backbone(ids.masked_fill(~mask, 7), mask)
    apart = (again[mask].float() - made[mask].float()).abs().max()
    if apart > PADDED * made[mask].float().abs().max():
        raise Unfollowed("its states depend on the padding beside an item")


def verify_cut(backbone: Backbone, at: int) -> None:
    """That going on from block `at` is the whole model, for items of unlike length. Unfollowed
    where it is not."""
    handing = backbone.handing
    if on_meta(backbone):
        return
    ids, mask = samples(backbone)
    with torch.no_grad():
        whole = backbone(ids, mask)
        state = backbone.prefix(ids, mask, at)
        again = backbone.suffix(state, mask, at)
    if state.shape != (*ids.shape, backbone.width) or again.shape != whole.shape:
        order = "sequence first, " if handing.sequence_first else ""
        shape = " x ".join(str(size) for size in state.shape)
        raise Unfollowed(f"its blocks pass on {shape} numbers, {order}for 2 x 7 tokens")
    verify_alike(again[mask], whole[mask])


def verify_layers(backbone: Backbone) -> None:
    """That each block gives a state per token, the last those of the whole model. Unfollowed where
    it does not."""
    if on_meta(backbone):
        return
    ids, mask = samples(backbone)
    with torch.no_grad():
        states = backbone.every_state(ids, mask)
        if len(states) != backbone.count or {tuple(state.shape) for state in states} - {
            (*ids.shape, backbone.width)
        }:
            raise Unfollowed("its blocks do not give a state per token")
        for place, state in enumerate(states[:-1], 1):
            verify_alike(state[mask], backbone.prefix(ids, mask, place)[mask])


def verify_alike(one: Tensor, other: Tensor) -> None:
    """Unfollowed where numbers differ by more than rounding, or are none."""
    apart = (one.float() - other.float()).abs().max()
    if not apart <= CLOSE * other.float().abs().max():
        raise Unfollowed("its blocks pass on more than states")


def on_meta(backbone: Backbone) -> bool:
    """Whether the model is a bare shape, whose numbers cannot be compared."""
    return next(backbone.parameters()).device.type == "meta"


def samples(backbone: Backbone) -> tuple[Tensor, Tensor]:
    """Ids int[2, 7] and mask Bool[2, 7] of an item of seven tokens and one of three."""
    place = next(backbone.parameters()).device
    mask = torch.arange(7, device=place) < torch.tensor([[7], [3]], device=place)
    rows = backbone.model.config.get_text_config().vocab_size  # type: ignore[union-attr]
    ids = (torch.arange(14, device=place).view(2, 7) * 37 + 11) % rows
    return ids * mask, mask


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


def unsplittable(named: Named, why: str) -> Exception:
    return fail(
        "E0656",
        f"the language model `{named.shown}` cannot be split here: {why}",
        "leave `split`, `lora` and `side` out, or choose another model",
    )
