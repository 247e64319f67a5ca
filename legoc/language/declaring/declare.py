"""How an operator declares itself: one decorator, typed parameters, and rules that are data.

Only the standard library is imported, so a declaration can stand beside code that needs torch and
still be exported to `grammar/lego.schema.json`, the one file the front end reads.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar


ROLES = (
    "content", "behavior", "flatten", "predict",
    "source", "split", "tokenizer", "task", "metric", "adapter", "side",
)  # fmt: skip
STAGES = ROLES[:4]
Role: TypeAlias = Literal["content", "behavior", "flatten", "predict"]
UNITS = ("share", "duration", "count", "bytes")

T = TypeVar("T")


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
    model, enum, quantity, operator, list; the other fields belong to some of these."""

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


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a declaration."""

    name: str = ""
    kind: Kind = field(default_factory=lambda: Kind("str"))
    default: Any = REQUIRED
    optional: bool = False
    min: float | None = None
    max: float | None = None
    inherit: str | None = None
    runtime: bool = False
    doc: str = ""
    since: bool = False

    @property
    def required(self) -> bool:
        return self.default is REQUIRED and self.inherit is None


def param(
    default: Any = REQUIRED,
    *,
    min: float | None = None,
    max: float | None = None,
    inherit: str | None = None,
    runtime: bool = False,
    since: bool = False,
    doc: str = "",
) -> Any:
    """Declare a parameter.

    inherit: a variable of the signature whose solution is the default (`hidden` inherits `d`).
    runtime: validated and documented, but kept out of the digest (page sizes, workers).
    since: added after a release; left out of the digest while it holds its default.
    """
    return Param(
        default=default, min=min, max=max, inherit=inherit, runtime=runtime, since=since, doc=doc
    )


@dataclass(frozen=True)
class Rule:
    """A rule between parameters and widths. The set of kinds is closed; each is interpreted by the
    front end and by the builder."""

    rule: Literal["divides", "needs", "excludes", "odd"]
    args: tuple[str, ...]


def Divides(name: str, width: str, *empty: str) -> Rule:
    """`Divides("heads", "d")`: the parameter divides another parameter (the last of a list) or a
    width of the input. empty: the widths of the input whose sum it divides where that list is
    empty."""
    return Rule("divides", (name, width, *empty))


def Needs(name: str, other: str) -> Rule:
    """`Needs("frozen", "file")`: where the first is given and not false, the second must be
    given, and not empty if it is a list."""
    return Rule("needs", (name, other))


def Excludes(name: str, other: str) -> Rule:
    """`Excludes("a", "b")`: not both given."""
    return Rule("excludes", (name, other))


def Odd(name: str) -> Rule:
    """`Odd("kernel")`: the parameter is an odd number."""
    return Rule("odd", (name,))


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """An attribute of items (or users). `length` is the number of tokens kept of a text, the values
    of a category, or the quantile bins of a number."""

    name: str
    kind: Literal["text", "category", "number"]
    length: int


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """Everything the front end, the builder and the documentation know of one operator."""

    role: str
    name: str
    version: int = 1
    signature: str | None = None
    params: tuple[Param, ...] = ()
    rules: tuple[Rule, ...] = ()
    tasks: tuple[str, ...] = ()
    layout: str | None = None
    primary: str | None = None
    shorthand: str | None = None
    pretrained: bool = False
    paper: str | None = None
    doc: str = ""
    example: str = ""
    module: str = ""
    attributes: tuple[Attribute, ...] = ()
    users: tuple[Attribute, ...] = ()
    group: str | None = None
    splits: tuple[str, ...] = ()
    content: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def param(self, name: str) -> Param | None:
        return next((p for p in self.params if p.name == name), None)


def operator(
    role: str,
    name: str,
    signature: str | None = None,
    *,
    version: int = 1,
    paper: str | None = None,
    tasks: Sequence[str] = (),
    layout: Literal["fields", "sequence"] | None = None,
    primary: str | None = None,
    shorthand: str | None = None,
    pretrained: bool = False,
    attributes: Sequence[Attribute] = (),
    users: Sequence[Attribute] = (),
    group: str | None = None,
    splits: Sequence[str] = (),
    content: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Declare a class or function as an operator of `role`. The declaration is the attribute
    `declaration` of the decorated object; its `Config` becomes a frozen dataclass.

    tasks: those a predictor trains for, the default first.
    layout: what a content operator reads, `fields` or `sequence` (DESIGN section 5).
    primary: the one parameter that may be given without a name.
    shorthand: the parameter a bare number sets where this operator is expected.
    pretrained: has pre-trained weights, so `lr_pretrained` applies.
    attributes, users, group, splits, content: of a source: what its items (users) have, its metric
        grouping, the splits it offers besides the general ones, and the default `content` list.
    facts: further constants the front end needs, in JSON's types.
    """
    if role not in ROLES:
        raise TypeError(f"role {role!r}: the roles are {', '.join(ROLES)}")
    if (signature is not None) != (role in STAGES):
        raise TypeError(f"{role} {name}: only the stages {', '.join(STAGES)} have a signature")

    def declare(cls: type[T]) -> type[T]:
        config = getattr(cls, "Config", None)
        params = read_params(config) if config is not None else ()
        known = {p.name for p in params}
        for given in (primary, shorthand):
            if given is not None and given not in known:
                raise TypeError(f"{role} {name}: no parameter {given!r}")
        rules: tuple[Any, ...] = tuple(getattr(cls, "rules", ()))
        if not all(isinstance(rule, Rule) for rule in rules):
            raise TypeError(f"{role} {name}: a rule is data (Divides, Needs, Excludes, Odd)")
        doc = (cls.__doc__ or "").strip()
        if not doc:
            raise TypeError(f"{role} {name}: the docstring is its documentation; write one")
        setattr(  # noqa: B010 - the attribute is added to an arbitrary class
            cls,
            "declaration",
            Declaration(
                role=role, name=name, version=version, signature=signature, params=params,
                rules=rules, tasks=tuple(tasks), layout=layout, primary=primary,
                shorthand=shorthand, pretrained=pretrained, paper=paper, doc=doc,
                example=getattr(cls, "example", ""), module=f"{cls.__module__}:{cls.__qualname__}",
                attributes=tuple(attributes), users=tuple(users), group=group,
                splits=tuple(splits), content=content, facts=dict(facts or {}),
            ),
        )  # fmt: skip
        if config is not None:
            cls.Config = build_config(config, params)  # type: ignore[attr-defined]
        return cls

    return declare


def read_params(config: type) -> tuple[Param, ...]:
    """The parameters of a nested `Config` class in the order they are written, its own before those
    of its bases."""
    found: list[Param] = []
    hints = typing.get_type_hints(config)
    own = [name for name in hints if name in config.__dict__]
    for name in dict.fromkeys([*own, *hints]):
        annotation = hints[name]
        value = getattr(config, name, None)
        if not isinstance(value, Param):
            raise TypeError(f"{config.__qualname__}.{name}: declare it with param(...)")
        kind, optional = read_kind(annotation)
        found.append(dataclasses.replace(value, name=name, kind=kind, optional=optional))
    return tuple(found)


def read_kind(annotation: Any) -> tuple[Kind, bool]:
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
        return read_kind(rest[0])[0], True
    if origin is Literal:
        return Kind("enum", values=tuple(str(a) for a in args)), False
    if origin in (list, tuple):
        return Kind("list", element=read_kind(args[0])[0]), False
    names = {
        int: "int", float: "float", bool: "bool", str: "str",
        File: "file", Folder: "folder", Model: "model",
    }  # fmt: skip
    if annotation in names:
        return Kind(names[annotation]), False
    raise TypeError(f"{annotation}: not a kind a parameter can have")


def build_config(config: type, params: Sequence[Param]) -> type:
    """The frozen, keyword-only dataclass that replaces a declared `Config`."""
    fields: list[tuple[str, Any, Any]] = []
    for p in params:
        if p.required or p.inherit is not None:
            fields.append((p.name, Any, dataclasses.field()))
        else:
            default = tuple(p.default) if isinstance(p.default, list) else p.default
            fields.append((p.name, Any, dataclasses.field(default=default)))
    return dataclasses.make_dataclass(
        "Config", fields, frozen=True, kw_only=True, namespace={"__doc__": config.__doc__}
    )
