"""The optimiser of a recipe: groups of parameters, rates, clipping, and its state as tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legoc.language.ir.spec import Train
from legoc.model.tables import ReadRows, Table, find_tables
from legoc.training.moving import KINDS, Held, Kind


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parameters that move alike. rate: in full, before the schedule."""

    rate: float
    decay: float
    held: tuple[Held, ...]


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """Parameters with the state of each, so that it can be stored by name.

    tables: those whose rows it holds until `release`; in between, their `weight` lags behind.
    """

    kind: Kind
    groups: tuple[Group, ...]
    names: Mapping[str, Held]
    tables: tuple[Table, ...]
    clip: float | None

    @property
    def rates(self) -> tuple[float, ...]:
        """The full learning rate of each group of parameters."""
        return tuple(group.rate for group in self.groups)

    @torch.no_grad()
    def update(self, factor: float) -> None:
        """One update with the gradients at hand, at `factor` of the full rates; then none are left.

        Gradients are scaled down first where their norm over all parameters exceeds `clip`.
        """
        if self.clip is not None:
            gradients = [g for held in self.names.values() if (g := held.gradient) is not None]
            clip_norm(gradients, self.clip)
        for group in self.groups:
            self.move(group, group.rate * factor)
        for held in self.names.values():
            held.clear()

    def move(self, group: Group, rate: float) -> None:
        """One update of the parameters of a group that have a gradient."""
        given = [(held, g) for held in group.held if (g := held.gradient) is not None]
        if not given:
            return
        for held, _ in given:
            held.begin(self.kind.moments)
        parts = [held.moved(gradient) for held, gradient in given]
        self.kind.kernel([moved for moved, _ in parts], rate, group.decay)
        for (held, _), (moved, places) in zip(given, parts, strict=True):
            held.put(moved, places)

    def release(self) -> None:
        """Leave the tables with what training has made of them, as if nobody had held them."""
        for table in self.tables:
            table.settle()
            table.reading = None

    def tensors(self) -> dict[str, Tensor]:
        """The state as `<parameter>/<key>`."""
        return {
            f"{name}/{key}": value
            for name, held in self.names.items()
            for key, value in held.tensors().items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state given by `tensors`, after the weights that go with it. Raises KeyError
        for a name that is no parameter."""
        states: dict[str, dict[str, Tensor]] = {}
        for path, value in tensors.items():
            name, _, key = path.rpartition("/")
            states.setdefault(name, {})[key] = value
        for name, state in states.items():
            self.names[name].load(state)


def clip_norm(gradients: list[Tensor], most: float) -> None:
    """Scale gradients so that their norm, over all of them, is at most so large."""
    if gradients:
        norm = nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))


def build_optimiser(module: nn.Module, train: Train) -> Optimiser:
    """The optimiser of a recipe over the trainable parameters of a model.

    Pre-trained parameters have the rate `lr_pretrained` where the recipe gives one; what an
    operator slows down has its share of the rate (`infer_paces`); matrices alone decay
    (`infer_decaying`). Of tables it holds the rows that training reads, on a CPU: on a GPU the
    order in which gradients are added to rows would not be the same each time.
    """
    kind = KINDS[train.optimizer]
    trainable = {name: p for name, p in module.named_parameters() if p.requires_grad}
    lazy = kind.some and bool(kind.moments)
    tables = {
        name: table
        for name, table in find_tables(module).items()
        if lazy or table.weight.device.type == "cpu"
    }
    for table in tables.values():
        table.reading = ReadRows(table)
    names = {
        name: Held(
            parameter=p,
            reading=tables[name].reading if name in tables else None,
            some=kind.some and name in tables,
        )
        for name, p in trainable.items()
    }
    old, decaying, paces = infer_pretrained(module), infer_decaying(module), infer_paces(module)
    slow = train.lr if train.lr_pretrained is None else train.lr_pretrained
    # One kernel takes values of one type.
    alike: dict[tuple[float, float, torch.dtype], list[Held]] = {}
    for name, held in names.items():
        rate = (slow if name in old else train.lr) * paces.get(name, 1.0)
        decay = train.weight_decay if name in decaying else 0.0
        alike.setdefault((rate, decay, held.parameter.dtype), []).append(held)
    groups = tuple(
        Group(rate=rate, decay=decay, held=tuple(held)) for (rate, decay, _), held in alike.items()
    )
    return Optimiser(
        kind=kind, groups=groups, names=names, tables=tuple(tables.values()), clip=train.clip
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


def infer_paces(module: nn.Module) -> Mapping[str, float]:
    """The share of the learning rate that some parameters have, by name: a module says so of its
    own ones by an attribute `pace`."""
    return {
        f"{path}.{name}" if path else name: float(part.pace)
        for path, part in module.named_modules()
        if hasattr(part, "pace")
        for name, _ in part.named_parameters(recurse=False)
    }


def infer_decaying(module: nn.Module) -> frozenset[str]:
    """The names of parameters that weight decay shrinks: the matrices (and the kernels) that values
    are multiplied with. Tables, in which a batch touches a few rows, biases, norms and other single
    vectors are left alone."""
    return frozenset(
        f"{path}.{name}" if path else name
        for path, part in module.named_modules()
        if not isinstance(part, nn.Embedding)
        for name, parameter in part.named_parameters(recurse=False)
        if parameter.ndim > 1 and "bias" not in name
    )
