"""What stands in the places of a language model's blocks while its forward pass is cut.

Letters: I any number of items, L tokens, W width of the model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class Unfollowed(Exception):
    """Why states cannot be followed through the blocks of a model, in words for a message."""


class Reached(Exception):
    """Carries a state out of a forward pass that need not go on."""

    def __init__(self, state: Tensor) -> None:
        super().__init__()
        self.state = state


@dataclass(frozen=True, kw_only=True)
class Handing:
    """The form in which the blocks of a model hand states to each other.

    given: where a block is called with them, a place or a name. made: their place in the tuple a
    block returns, None where they are returned alone. values: how many that tuple has.
    sequence_first: whether they are [L, I, W] and not [I, L, W].
    """

    given: int | str
    made: int | None
    values: int
    sequence_first: bool

    def turn(self, state: Tensor) -> Tensor:
        """From [I, L, W] to the library's order, and back."""
        return state.transpose(0, 1) if self.sequence_first else state

    def read(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
        """The states a block is called with, in the library's order."""
        return args[self.given] if isinstance(self.given, int) else kwargs[self.given]

    def put(
        self, state: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a block is called with, other states in their place."""
        if isinstance(self.given, str):
            return tuple(args), {**kwargs, self.given: state}
        return (*args[: self.given], state, *args[self.given + 1 :]), dict(kwargs)

    def states(self, made: Any) -> Tensor:
        """The states in what a block returns, in the library's order."""
        return made if self.made is None else made[self.made]

    def wrap(self, state: Tensor, beside: Mapping[int, Any]) -> Any:
        """States as a block returns them; beside: the other values of its tuple by their places."""
        if self.made is None:
            return state
        return tuple(
            state if place == self.made else beside.get(place) for place in range(self.values)
        )


def observe(blocks: Sequence[nn.Module], width: int, run: Callable[[], object]) -> Handing:
    """The form in which blocks hand on states, from a pass of two items of three tokens. Unfollowed
    where there is no such form."""
    passed: list[nn.Module] = []
    forms: set[Handing] = set()

    def note(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        passed.append(block)
        forms.add(form_of(args, kwargs, made, width))

    hooks = [block.register_forward_hook(note, with_kwargs=True) for block in blocks]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    if len(passed) != len(blocks) or any(a is not b for a, b in zip(passed, blocks, strict=True)):
        raise Unfollowed("its blocks are not passed one after the other, each once")
    if len(forms) != 1:
        raise Unfollowed("its blocks do not all hand on states in the same form")
    return forms.pop()


def form_of(args: Sequence[Any], kwargs: Mapping[str, Any], made: Any, width: int) -> Handing:
    """The form of one call of a block. Unfollowed where it takes or returns no states."""
    shapes = {(2, 3, width): False, (3, 2, width): True}

    def order(value: Any) -> bool | None:
        return shapes.get(tuple(value.shape)) if isinstance(value, Tensor) else None

    given = [
        (name, order(value))
        for name, value in (*enumerate(args), *kwargs.items())
        if order(value) is not None
    ]
    several = isinstance(made, tuple | list)
    values = made if several else (made,)
    returned = [(place, order(value)) for place, value in enumerate(values)]
    returned = [each for each in returned if each[1] is not None]
    if not given or not returned or given[0][1] != returned[0][1]:
        raise Unfollowed("its blocks do not pass on a state per token, as wide as the model")
    return Handing(
        given=given[0][0],
        made=returned[0][0] if several else None,
        values=len(values),
        sequence_first=bool(given[0][1]),
    )


class StandIn(nn.Module):
    """Stands for a block and answers as it for every other attribute, but registers none of it."""

    def __init__(self, block: nn.Module, handing: Handing) -> None:
        super().__init__()
        self.__dict__["block"] = block
        self.__dict__["handing"] = handing

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["block"], name)


class Passing(StandIn):
    """A block that is left out: it hands on its input, or `state` where given, in its own form."""

    def __init__(self, block: nn.Module, handing: Handing, state: Tensor | None = None) -> None:
        super().__init__(block, handing)
        self.__dict__["state"] = state

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        handing: Handing = self.__dict__["handing"]
        given = handing.read(args, kwargs)
        state = self.__dict__["state"]
        beside = relative_bias(self.__dict__["block"], given, args[1:])
        return handing.wrap(given if state is None else state, beside)


def relative_bias(
    block: nn.Module, hidden_ILW: Tensor, args: Sequence[Any]
) -> dict[int, Tensor | None]:
    """What a block of T5 hands to the next one beside its states: the bias of relative positions,
    which only the first block owns. It is part of the frozen layers, so no gradient reaches it."""
    layer: Any = getattr(block, "layer", None)
    inner = getattr(layer[0], "SelfAttention", None) if isinstance(layer, nn.ModuleList) else None
    if inner is None:
        return {}
    given = args[1] if len(args) > 1 else None
    if given is not None or not inner.has_relative_attention_bias:
        return {1: given}
    with torch.no_grad():
        length = hidden_ILW.shape[1]
        return {1: inner.compute_bias(length, length, device=hidden_ILW.device)}


class Entered(StandIn):
    """A block that reads stored states instead of what the pass hands it."""

    def __init__(self, block: nn.Module, handing: Handing, state: Tensor) -> None:
        super().__init__(block, handing)
        self.__dict__["state"] = state

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self.__dict__["handing"].put(self.__dict__["state"], args, kwargs)
        return self.__dict__["block"](*args, **kwargs)


class Watched(StandIn):
    """A block whose states are also appended to a list."""

    def __init__(self, block: nn.Module, handing: Handing, kept: list[Tensor]) -> None:
        super().__init__(block, handing)
        self.__dict__["keep"] = kept.append

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        made = self.__dict__["block"](*args, **kwargs)
        handing: Handing = self.__dict__["handing"]
        self.__dict__["keep"](handing.turn(handing.states(made)))
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
