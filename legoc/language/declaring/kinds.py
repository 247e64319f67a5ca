"""The kinds of values a parameter takes, and one parameter of a declaration.

An annotation names a kind: `int`, `File`, `Literal[...]`, `Quantity["share"]`,
`Operator["adapter"]`, a list of one of these, or one of these or None.
"""

import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


ROLES = (
    "content", "behavior", "flatten", "predict",
    "source", "split", "tokenizer", "task", "metric", "adapter", "side", "context", "prompt",
    "writing", "writer",
)  # fmt: skip
STAGES = ROLES[:4]
Role: TypeAlias = Literal["content", "behavior", "flatten", "predict"]
UNITS = ("share", "duration", "count", "bytes")


class Required:
    """The default of a parameter that must be given."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = Required()


class File:
    """A path whose content enters the digests."""


class Folder:
    """A path that stays out of the digests: raw files enter the data digest instead."""


class Model:
    """The folder of a pre-trained model, or the name of one on a hub. A path stays out of the
    digests, since the content of the model's files enters the data digest; a name enters them."""


class Quantity:
    """`Quantity["share" | "duration" | "count" | "bytes"]`: a number with a unit.

    Shares are numbers from 0 to 1, durations seconds, counts and bytes integers.
    """

    def __class_getitem__(cls, unit: str) -> "Kind":
        if unit not in UNITS:
            raise TypeError(f"Quantity[{unit!r}]: the units are {', '.join(UNITS)}")
        return Kind("quantity", unit=unit)


class Operator:
    """`Operator[role]`: a parameter whose value is itself an operator of that role."""

    def __class_getitem__(cls, role: str) -> "Kind":
        if role not in ROLES:
            raise TypeError(f"Operator[{role!r}]: the roles are {', '.join(ROLES)}")
        return Kind("operator", role=role)


@dataclass(frozen=True)
class Kind:
    """What values a parameter takes. `name` is one of int, float, bool, str, file, folder,
    model, vectors (a file of word vectors or a model), enum, quantity, operator, column (the name
    of an attribute), data (a declared data set), list; the other fields belong to some of these."""

    name: str
    values: tuple[str, ...] = ()
    unit: str | None = None
    role: str | None = None
    element: "Kind | None" = None

    def __or__(self, other: Any) -> "Any":
        # `Quantity["share"] | None` is an annotation; typing cannot join instances by itself.
        if other is not None:
            raise TypeError("a parameter has one kind, or that kind or None")
        return Optional(self)


@dataclass(frozen=True)
class Optional:
    kind: Kind


# An annotation: the name of an attribute.
Column = Kind("column")


# The largest whole number: what counts, sizes and seeds are kept in holds no more.
LARGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a declaration."""

    name: str = ""
    kind: Kind = field(default_factory=lambda: Kind("str"))
    default: Any = REQUIRED
    optional: bool = False
    min: float | None = None
    max: float | None = None
    above: float | None = None
    inherit: str | None = None
    runtime: bool = False
    doc: str = ""
    since: bool = False
    before: Any = None

    def allows(self, value: float) -> bool:
        """Whether a number lies within the bounds."""
        return (
            (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
            and (self.above is None or value > self.above)
        )

    @property
    def required(self) -> bool:
        return self.default is REQUIRED and self.inherit is None

    @property
    def earlier(self) -> Any:
        """The value that computes what was computed before the parameter was added."""
        found = self.default if self.before is None else self.before
        return tuple(found) if isinstance(found, list) else found


def param(
    default: Any = REQUIRED,
    *,
    min: float | None = None,
    max: float | None = None,
    above: float | None = None,
    inherit: str | None = None,
    runtime: bool = False,
    since: bool = False,
    before: Any = None,
    doc: str = "",
) -> Any:
    """Declare a parameter.

    min, max: bounds that are allowed themselves. above: one that is not.
    inherit: a variable of the signature whose solution is the default (`hidden` inherits `d`).
    runtime: validated and documented, but kept out of the digest (page sizes, workers).
    since: added after a release; left out of the digest while it holds the value that computes what
        was computed before: its default, unless `before` names another.
    """
    return Param(
        default=default, min=min, max=max, above=above, inherit=inherit, runtime=runtime,
        since=since, before=before, doc=doc,
    )  # fmt: skip


def annotated_kind(annotation: Any) -> tuple[Kind, bool]:
    """The kind an annotation names, and whether `none` is allowed."""
    if isinstance(annotation, Optional):
        return annotation.kind, True
    if isinstance(annotation, Kind):
        return annotation, False
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        rest = [a for a in args if a is not type(None)]
        if len(rest) != 1 or len(args) != 2:
            raise TypeError(f"{annotation}: a parameter has one kind, or that kind or None")
        return annotated_kind(rest[0])[0], True
    if origin is Literal:
        return Kind("enum", values=tuple(str(a) for a in args)), False
    if origin in (list, tuple):
        return Kind("list", element=annotated_kind(args[0])[0]), False
    names = {
        int: "int", float: "float", bool: "bool", str: "str",
        File: "file", Folder: "folder", Model: "model",
    }  # fmt: skip
    if annotation in names:
        return Kind(names[annotation]), False
    raise TypeError(f"{annotation}: not a kind a parameter can have")
