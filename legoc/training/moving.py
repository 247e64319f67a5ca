"""What moves one parameter, or the rows of one table: torch's fused kernels, called directly.

`torch.optim` loads torch's compiler with its first optimiser, which takes a second; the arithmetic
is that of the kernels either way. Letters: V rows of a table, n rows that training has read, R rows
with gradients of now, D width.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from legoc.model.tables import ReadRows


BETAS = (0.9, 0.999)
LEAST = 1e-8
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What a kernel works on, all of one shape: the values, their gradient, and the moments."""

    value: Tensor
    gradient: Tensor
    state: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Held:
    """A parameter with what the optimiser keeps of it by name: nothing before its first gradient.

    reading: the rows of a table that training has read; their moments stand as they do. some: only
    rows with gradients of now are moved, and the others keep their moments.
    """

    parameter: nn.Parameter
    reading: ReadRows | None = None
    some: bool = False
    state: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    @property
    def gradient(self) -> Tensor | None:
        """As it is now, [n, D] of a table."""
        if self.reading is None:
            return self.parameter.grad
        return self.reading.gradient[: self.reading.count] if self.reading.read else None

    def clear(self) -> None:
        """No gradient any more."""
        if self.reading is None:
            self.parameter.grad = None
        else:
            self.reading.clear()

    def begin(self, moments: Sequence[str]) -> None:
        """Have a state."""
        if moments and "step" not in self.state:
            self.state["step"] = torch.zeros((), device=self.parameter.device)
        for name in moments:
            if self.reading is not None:
                self.reading.keep(name)
            elif name not in self.state:
                self.state[name] = torch.zeros_like(self.parameter, requires_grad=False)

    def moved(self, gradient: Tensor) -> tuple[Moved, Tensor | None]:
        """What a kernel is to move, and, of a table with `some`, the places of these copies."""
        if self.reading is None:
            return Moved(value=self.parameter, gradient=gradient, state=self.state), None
        whole, beside = self.reading.values, self.reading.beside
        chosen = self.reading.places_read() if self.some else slice(self.reading.count)
        state = {**self.state, **{name: value[chosen] for name, value in beside.items()}}
        moved = Moved(value=whole[chosen], gradient=gradient[chosen], state=state)
        return moved, chosen if isinstance(chosen, Tensor) else None

    def put(self, moved: Moved, places_R: Tensor | None) -> None:
        """Take up what a kernel has made of copies."""
        if self.reading is None:
            return
        self.reading.lagging = True
        if places_R is not None:
            self.reading.values[places_R] = moved.value
            for name, value in self.reading.beside.items():
                value[places_R] = moved.state[name]

    def tensors(self) -> dict[str, Tensor]:
        """The state by name, of a table with the `rows` it stands for."""
        if self.reading is None:
            return dict(self.state)
        count = self.reading.count
        beside = {name: value[:count] for name, value in self.reading.beside.items()}
        return {**self.state, **beside, "rows": self.reading.rows[:count]}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state that `tensors` gave, here or where the table was held otherwise."""
        given = {name: value.to(self.parameter.device) for name, value in tensors.items()}
        rows = given.pop("rows", None)
        moments = {name: value for name, value in given.items() if name in MOMENTS}
        self.state.clear()
        self.state.update({name: given[name] for name in given.keys() - moments.keys()})
        if self.reading is not None:
            if rows is None:
                rows = find_moved(moments.values(), like=self.parameter)
                moments = {name: value[rows] for name, value in moments.items()}
            self.reading.restore(rows, moments)
            return
        for name, value in moments.items():
            if rows is not None:
                whole = torch.zeros_like(self.parameter, requires_grad=False)
                value = whole.index_copy_(0, rows, value)
            self.state[name] = value


def find_moved(moments: Iterable[Tensor], like: Tensor) -> Tensor:
    """I64[n]: row 0, and the rows with a moment that is not zero."""
    moved_V = torch.zeros(len(like), dtype=torch.bool, device=like.device)
    moved_V[:1] = True
    for value in moments:
        moved_V |= (value != 0).any(1)
    return moved_V.nonzero().flatten()


def adam(moved: Sequence[Moved], rate: float, decay: float) -> None:
    run_adam(torch._fused_adam_, moved, rate, decay)


def adamw(moved: Sequence[Moved], rate: float, decay: float) -> None:
    run_adam(torch._fused_adamw_, moved, rate, decay)


def run_adam(
    kernel: Callable[..., object], moved: Sequence[Moved], rate: float, decay: float
) -> None:
    steps = [one.state["step"] for one in moved]
    torch._foreach_add_(steps, 1)
    averages, squares = ([one.state[name] for one in moved] for name in MOMENTS)
    kernel(
        [one.value for one in moved], [one.gradient for one in moved], averages, squares, [], steps,
        lr=rate, beta1=BETAS[0], beta2=BETAS[1], weight_decay=decay, eps=LEAST, amsgrad=False,
        maximize=False,
    )  # fmt: skip


def sgd(moved: Sequence[Moved], rate: float, decay: float) -> None:
    torch._fused_sgd_(
        [one.value for one in moved], [one.gradient for one in moved], [], weight_decay=decay,
        momentum=0.0, lr=rate, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to move. moments: what it keeps beside the number of its steps. some: of a table, it
    moves the rows with gradients of now and no others."""

    kernel: Callable[[Sequence[Moved], float, float], None]
    moments: Sequence[str] = MOMENTS
    some: bool = False


KINDS: Mapping[str, Kind] = {
    "adam": Kind(kernel=adam),
    "adamw": Kind(kernel=adamw),
    "lazyadam": Kind(kernel=adam, some=True),
    # Without a gradient it moves nothing, so that some rows are all rows.
    "sgd": Kind(kernel=sgd, moments=(), some=True),
}
