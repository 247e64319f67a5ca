"""The optimiser of a recipe: groups of parameters, rates, clipping, and its state as tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legoc.language.spec import Train


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """A torch optimiser with the names of its parameters, so that its state can be stored by name.

    rates: the full learning rate of each parameter group, before the schedule.
    """

    inner: torch.optim.Optimizer
    names: Mapping[str, nn.Parameter]
    rates: tuple[float, ...]
    clip: float | None

    def update(self, factor: float) -> None:
        """One update with the gradients at hand, at `factor` of the full rates; then none are left.

        Gradients are scaled down first where their norm over all parameters exceeds `clip`.
        """
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.names.values(), self.clip)
        for group, rate in zip(self.inner.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        self.inner.step()
        self.inner.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """The state as `<parameter>/<key>`."""
        return {
            f"{name}/{key}": value
            for name, parameter in self.names.items()
            for key, value in self.inner.state.get(parameter, {}).items()
            if isinstance(value, Tensor)
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state given by `tensors`. Raises KeyError for a name that is no parameter."""
        for path, value in tensors.items():
            name, _, key = path.rpartition("/")
            parameter = self.names[name]
            # Adam counts its steps in a scalar that stays on the CPU unless the kernel is fused.
            home = value if key == "step" and not self.fused else value.to(parameter.device)
            self.inner.state[parameter][key] = home

    @property
    def fused(self) -> bool:
        return bool(self.inner.defaults.get("fused"))


def build_optimiser(module: nn.Module, train: Train) -> Optimiser:
    """The optimiser of a recipe over the trainable parameters of a model.

    Pre-trained parameters have the rate `lr_pretrained` where the recipe gives one.
    """
    trainable = {name: p for name, p in module.named_parameters() if p.requires_grad}
    old = infer_pretrained(module)
    slow = [p for name, p in trainable.items() if name in old]
    fresh = [p for name, p in trainable.items() if name not in old]
    rates = [(fresh, train.lr), (slow, train.lr_pretrained or train.lr)]
    kept = [(group, rate) for group, rate in rates if group]
    groups = [{"params": group, "lr": rate} for group, rate in kept]
    decay = train.weight_decay
    if train.optimizer == "sgd":
        inner: torch.optim.Optimizer = torch.optim.SGD(groups, weight_decay=decay, fused=True)
    elif train.optimizer in ("adam", "adamw"):
        kind = torch.optim.Adam if train.optimizer == "adam" else torch.optim.AdamW
        inner = kind(groups, weight_decay=decay, fused=True)
    else:
        raise ValueError(f"no optimizer {train.optimizer!r}")
    return Optimiser(
        inner=inner, names=trainable, rates=tuple(rate for _, rate in kept), clip=train.clip
    )


def infer_pretrained(module: nn.Module) -> frozenset[str]:
    """The names of parameters that come with pre-trained values: the innermost module around each
    that has an attribute `pretrained` says so."""
    found: set[str] = set()

    def walk(part: nn.Module, path: str, inherited: bool) -> None:
        own = bool(getattr(part, "pretrained", inherited))
        if own:
            found.update(f"{path}{name}" for name, _ in part.named_parameters(recurse=False))
        for name, child in part.named_children():
            walk(child, f"{path}{name}.", own)

    walk(module, "", False)
    return frozenset(found)
