"""How an operator declares itself: one decorator, typed parameters, and rules that are data.

Only the standard library is imported, so a declaration can stand beside code that needs torch and
still be exported to `grammar/lego.schema.json`, the one file the front end reads.
"""

import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any, Literal, TypeVar

from legoc.language.declaring.kinds import (
    ROLES,
    STAGES,
    Column,
    File,
    Folder,
    Model,
    Operator,
    Param,
    Quantity,
    annotated_kind,
    param,
)


# A declaration finds everything it needs here.
__all__ = [
    "Attribute",
    "Column",
    "Declaration",
    "Divides",
    "Excludes",
    "File",
    "Folder",
    "Model",
    "Needs",
    "Odd",
    "Operator",
    "Quantity",
    "Rule",
    "operator",
    "param",
]

T = TypeVar("T")


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
        kind, optional = annotated_kind(annotation)
        # `from_` declares what is written `from`, which is a word of Python.
        found.append(
            dataclasses.replace(value, name=name.rstrip("_"), kind=kind, optional=optional)
        )
    return tuple(found)


def build_config(config: type, params: Sequence[Param]) -> type:
    """The frozen, keyword-only dataclass that replaces a declared `Config`."""
    fields: list[tuple[str, Any, Any]] = []
    for p in params:
        name = f"{p.name}_" if iskeyword(p.name) else p.name
        if p.required or p.inherit is not None:
            fields.append((name, Any, dataclasses.field()))
        else:
            default = tuple(p.default) if isinstance(p.default, list) else p.default
            fields.append((name, Any, dataclasses.field(default=default)))
    return dataclasses.make_dataclass(
        "Config", fields, frozen=True, kw_only=True, namespace={"__doc__": config.__doc__}
    )
