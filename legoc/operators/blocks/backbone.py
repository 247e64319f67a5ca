"""A pre-trained language model whose forward pass can be cut at any block.

The model is the library's own and stays whole. `prefix(t)` is its forward pass stopped before block
t; `suffix(t)` is the same pass with the blocks below t passing on what they are given and block t
reading stored states. Masks, positions and whatever a family passes between its blocks are
therefore always the library's.

Letters: I any number of items, L tokens, W width of the model, n blocks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


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

    def forward(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """Token ids int[I, L], Bool[I, L] -> last states [I, L, made], after the final norm."""
        seen = (
            self.shape_alone(ids_IL)
            if ids_IL.is_meta
            else {"attention_mask": opened(mask_IL).long()}
        )
        return self.model(input_ids=ids_IL, **seen, **self.options).last_hidden_state

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
        blocks = self.blocks
        last = at == self.count

        def stop_before(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            raise Reached(args[0] if args else kwargs["hidden_states"])

        def stop_after(block: nn.Module, args: tuple[Any, ...], made: Any) -> None:
            raise Reached(first_of(made))

        hook = (
            blocks[-1].register_forward_hook(stop_after)
            if last
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
        state_ILW = state_ILW.to(self.dtype)
        stand_ins: list[nn.Module] = [Passing(block) for block in self.blocks[:at]]
        if at == self.count:
            # No block is left: the last stand-in hands the states to the final norm.
            stand_ins[-1] = Passing(self.blocks[-1], state_ILW)
            following: Sequence[nn.Module] = ()
        else:
            first, *rest = self.blocks[at:]
            following = (Entered(first, state_ILW), *rest)
        # The embeddings of any ids: what is made of them is dropped where the states come in.
        ids_IL = torch.zeros(mask_IL.shape, dtype=torch.int64, device=mask_IL.device)
        with replaced(self.blocks, (*stand_ins, *following)):
            return self.forward(ids_IL, mask_IL)

    def every_state(self, ids_IL: Tensor, mask_IL: Tensor) -> list[Tensor]:
        """The states after each block, n of [I, L, W]; the last of them after the final norm, if it
        is as wide then."""
        kept: list[Tensor] = []
        watched = [Watched(block, kept) for block in self.blocks]
        with replaced(self.blocks, watched):
            last_ILW = self.forward(ids_IL, mask_IL)
        return [*kept[:-1], last_ILW] if self.made == self.width else kept

    @property
    def dtype(self) -> torch.dtype:
        """Of the frozen weights; what is trained may be wider."""
        return next(p.dtype for p in self.model.parameters() if p.is_floating_point())

    def recompute(self) -> None:
        """Keep no activations within a block; the backward pass computes them again."""
        # The second name is that of earlier versions.
        name = "activation_checkpointing_enable"
        enable = getattr(self.model, name, None) or self.model.gradient_checkpointing_enable
        enable({"use_reentrant": False})  # type: ignore[operator]

    def attend_plainly(self) -> None:
        """Attention written out, not the fused function: what exporters know (EXPORT section 4)."""
        self.model.set_attn_implementation("eager")


class Reached(Exception):
    """Carries a state out of a forward pass that need not go on."""

    def __init__(self, state: Tensor) -> None:
        super().__init__()
        self.state = state


class StandIn(nn.Module):
    """Stands for a block and answers as it for every other attribute, but registers none of it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.__dict__["block"] = block

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["block"], name)


class Passing(StandIn):
    """A block that is left out: its input, or `state` where given, in the block's own form."""

    def __init__(self, block: nn.Module, state: Tensor | None = None) -> None:
        super().__init__(block)
        self.__dict__["state"] = state

    def forward(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        state = self.__dict__["state"]
        hidden = hidden if state is None else state
        block = self.__dict__["block"]
        if not hasattr(block, "layer") or not hasattr(block.layer, "__getitem__"):
            return hidden
        return (hidden, relative_bias(block.layer[0], hidden, args), None)


def relative_bias(attention: Any, hidden_ILW: Tensor, args: tuple[Any, ...]) -> Tensor | None:
    """What a block of T5 hands to the next one beside its states: the bias of relative positions,
    which only the first block owns. It is part of the frozen layers, so no gradient reaches it."""
    given = args[1] if len(args) > 1 else None
    inner = attention.SelfAttention
    if given is not None or not inner.has_relative_attention_bias:
        return given
    with torch.no_grad():
        length = hidden_ILW.shape[1]
        return inner.compute_bias(length, length, device=hidden_ILW.device)


class Entered(StandIn):
    """A block that reads stored states instead of what the pass hands it."""

    def __init__(self, block: nn.Module, state: Tensor) -> None:
        super().__init__(block)
        self.__dict__["state"] = state

    def forward(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__["block"](self.__dict__["state"], *args, **kwargs)


class Watched(StandIn):
    """A block whose output is also appended to a list."""

    def __init__(self, block: nn.Module, kept: list[Tensor]) -> None:
        super().__init__(block)
        self.__dict__["keep"] = kept.append

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        made = self.__dict__["block"](*args, **kwargs)
        self.__dict__["keep"](first_of(made))
        return made


@contextmanager
def replaced(blocks: nn.ModuleList, others: Sequence[nn.Module]) -> Iterator[None]:
    """The list with other modules in its places while the block runs."""
    kept = dict(blocks._modules)  # assigning through the list would re-register
    try:
        blocks._modules.update(zip(kept, others, strict=True))
        yield
    finally:
        blocks._modules.update(kept)


def first_of(made: Any) -> Tensor:
    """The states in what a block returns: alone, or the first of several values."""
    return made[0] if isinstance(made, tuple) else made


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
