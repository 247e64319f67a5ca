"""A pre-trained language model whose forward pass can be cut at any block.

The model is the library's own and stays whole. `prefix(t)` is its forward pass stopped before block
t; `suffix(t)` is the same pass with the blocks below t passing on what they are given and block t
reading stored states. Masks, positions and whatever a family passes between its blocks are
therefore always the library's.

Letters: I any number of items, L tokens, W width of the model, n blocks.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from legoc.operators.blocks.library_forms import recomputing
from legoc.operators.blocks.stand_ins import (
    Entered,
    Handing,
    Passing,
    Reached,
    Watched,
    observe,
    replaced,
)


class Backbone(nn.Module):
    """The states of a language model of transformers; `width` is theirs, `made` that of the last.

    States are numbered 0 to n: 0 are the token embeddings, n what the last block makes; the final
    norm comes after. A row without a token is read as if its first token were real, so that no
    engine meets a softmax over nothing; who pools under the real mask gives it zeros.
    """

    pretrained = True

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        config: Any = model.config  # type: ignore[assignment]
        text = config.get_text_config()
        self.width = int(text.hidden_size)
        # OPT may bring its last states back to the width of its embeddings.
        self.made = int(getattr(text, "word_embed_proj_dim", text.hidden_size))
        self.count = int(text.num_hidden_layers)
        self.place = find_blocks(model, self.count)
        decodes = hasattr(text, "use_cache") and not getattr(config, "is_encoder_decoder", False)
        self.options = {"use_cache": False} if decodes else {}

    @property
    def blocks(self) -> nn.ModuleList:
        """The n blocks, in the order in which states pass them. LookupError where the model has no
        such list."""
        if self.place is None:
            raise LookupError(f"no list of {self.count} blocks")
        found = self.model.get_submodule(self.place)
        assert isinstance(found, nn.ModuleList)
        return found

    @cached_property
    def handing(self) -> Handing:
        """How its blocks hand on states. LookupError without a list of blocks, Unfollowed where
        they do not."""
        place = next(self.model.parameters()).device
        ids = torch.arange(1, 7, device=place).view(2, 3)
        training = self.model.training
        # Dropout of whole blocks belongs to training.
        self.model.eval()
        try:
            with torch.no_grad():
                return observe(self.blocks, self.width, lambda: self(ids, ids > 0))
        finally:
            self.model.train(training)

    def forward(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """Token ids int[I, L], Bool[I, L] -> last states [I, L, made], after the final norm."""
        seen = self.seen(ids_IL, mask_IL)
        return self.model(input_ids=ids_IL, **seen, **self.options).last_hidden_state

    def seen(self, ids_IL: Tensor, mask_IL: Tensor) -> dict[str, Tensor]:
        """What a call of the library is told of the real tokens."""
        if ids_IL.is_meta:
            return self.shape_alone(ids_IL)
        return {"attention_mask": opened(mask_IL).long()}

    def shape_alone(self, ids_IL: Tensor) -> dict[str, Tensor]:
        """A mask, and positions for models that derive them from it, on the meta device. The
        library looks into masks, which have nothing to see there; one in its final form, every
        query against every key, it takes as it is."""
        items, length = ids_IL.shape
        found = {"attention_mask": ids_IL.new_zeros((items, 1, length, length), dtype=self.dtype)}
        if self.options:
            found["position_ids"] = torch.arange(length, device=ids_IL.device).unsqueeze(0)
        return found

    def prefix(self, ids_IL: Tensor, mask_IL: Tensor, at: int) -> Tensor:
        """State `at` [I, L, W] of token ids int[I, L], Bool[I, L]: the input of block `at`, or the
        output of the last block for `at` = n."""
        blocks, handing = self.blocks, self.handing

        def stop_before(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            raise Reached(handing.turn(handing.read(args, kwargs)))

        def stop_after(block: nn.Module, args: tuple[Any, ...], made: Any) -> None:
            raise Reached(handing.turn(handing.states(made)))

        hook = (
            blocks[-1].register_forward_hook(stop_after)
            if at == self.count
            else blocks[at].register_forward_pre_hook(stop_before, with_kwargs=True)
        )
        try:
            self.forward(ids_IL, mask_IL)
        except Reached as reached:
            return reached.state
        finally:
            hook.remove()
        raise AssertionError("the blocks of the model were not called")

    def suffix(self, state_ILW: Tensor, mask_IL: Tensor, at: int) -> Tensor:
        """The last states [I, L, made] that follow from state `at` [I, L, W], Bool[I, L]."""
        blocks, handing = self.blocks, self.handing
        state = handing.turn(state_ILW.to(self.dtype))
        stand_ins: list[nn.Module] = [Passing(block, handing) for block in blocks[:at]]
        if at == self.count:
            # No block is left: the last stand-in hands the states to the final norm.
            stand_ins[-1] = Passing(blocks[-1], handing, state)
            following: Sequence[nn.Module] = ()
        else:
            first, *rest = blocks[at:]
            following = (Entered(first, handing, state), *rest)
        # The embeddings of any ids: what is made of them is dropped where the states come in.
        ids_IL = torch.zeros(mask_IL.shape, dtype=torch.int64, device=mask_IL.device)
        with replaced(blocks, (*stand_ins, *following)):
            return self.forward(ids_IL, mask_IL)

    def every_state(self, ids_IL: Tensor, mask_IL: Tensor) -> list[Tensor]:
        """The states after each block, n of [I, L, W]; the last of them after the final norm, if it
        is as wide then."""
        kept: list[Tensor] = []
        watched = [Watched(block, self.handing, kept) for block in self.blocks]
        with replaced(self.blocks, watched):
            last_ILW = self.forward(ids_IL, mask_IL)
        return [*kept[:-1], last_ILW] if self.made == self.width else kept

    def drop(self, at: int) -> None:
        """Let go of the weights of the blocks below `at`, of which `suffix` reads none but those of
        relative positions."""
        for block in self.blocks[:at]:
            for path, part in block.named_modules():
                if path.endswith("relative_attention_bias"):
                    continue
                for name, value in part.named_parameters(recurse=False):
                    empty = nn.Parameter(value.detach().to("meta"), requires_grad=False)
                    part.register_parameter(name, empty)

    @property
    def dtype(self) -> torch.dtype:
        """Of the frozen weights; what is trained may be wider."""
        return next(p.dtype for p in self.model.parameters() if p.is_floating_point())

    def recompute(self) -> None:
        """Keep no activations within a block; the backward pass computes them again."""
        # The second name is that of earlier versions.
        name = "activation_checkpointing_enable"
        enable = getattr(self.model, name, None) or self.model.gradient_checkpointing_enable
        enable({"use_reentrant": False, "context_fn": recomputing})  # type: ignore[operator]

    def attend_plainly(self) -> None:
        """Attention written out, not the fused function: what exporters know (EXPORT section 4)."""
        self.model.set_attn_implementation("eager")


def opened(mask_IL: Tensor) -> Tensor:
    """The mask with the first token open in rows that have none."""
    first_L = torch.arange(mask_IL.shape[1], device=mask_IL.device) == 0
    return mask_IL | (first_L & ~mask_IL.any(1, keepdim=True))


def find_blocks(model: nn.Module, count: int) -> str | None:
    """The path of the one list of so many modules, the outermost where lists lie within lists."""
    found = [
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.ModuleList) and len(part) == count
    ]
    outer = [n for n in found if not any(n.startswith(f"{other}.") for other in found)]
    return outer[0] if len(outer) == 1 else None


def reached_parameters(run: Callable[[], Tensor], model: nn.Module) -> set[str]:
    """The names of the parameters that a result depends on, by the gradients of a small run."""
    before = {name: p.requires_grad for name, p in model.named_parameters()}
    model.requires_grad_(True)
    names, parameters = zip(*model.named_parameters(), strict=True)
    with torch.enable_grad():
        made = run().float().sum()
        gradients = (
            torch.autograd.grad(made, parameters, allow_unused=True)
            if made.requires_grad
            else (None,) * len(parameters)
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(before[name])
    return {name for name, found in zip(names, gradients, strict=True) if found is not None}
