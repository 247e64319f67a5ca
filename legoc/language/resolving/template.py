"""Declarations with names resolved and overrides applied, their axes still open.

A template is what `resolve` makes of a declaration; `expand` chooses a value for every axis in it
and builds the parts of points. Templates compare by identity, and a swept `param` is one object
wherever it is used: that is how all its uses move together.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.points import Given
from legoc.language.syntax import tree


@dataclass(frozen=True, eq=False)
class Leaf:
    """A literal: number, text, quantity, `true`, `false`, `none`."""

    given: Given

    @property
    def span(self) -> Span:
        return self.given.span


@dataclass(frozen=True, eq=False)
class Entry:
    """`name = template`."""

    name: str
    name_span: Span
    template: "Template"


@dataclass(frozen=True, eq=False)
class Called:
    """A name with arguments. `name_span` is the name alone, `span` all of it."""

    name: str
    name_span: Span
    span: Span
    args: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    positional: tuple["Template", ...] = ()
    called: bool = False


@dataclass(frozen=True, eq=False)
class Listed:
    """A list."""

    items: tuple["Template", ...]
    span: Span


@dataclass(frozen=True, eq=False)
class Sweep:
    """An axis: one of the options. Sweeps of one `identity` choose the same place in their options;
    `param` is the name of the swept param, if it is one; `searched`: a search chooses."""

    options: tuple["Template", ...]
    span: Span
    identity: object
    param: str | None = None
    searched: bool = False


@dataclass(frozen=True, eq=False)
class Sought:
    """A value that a search finds between two ends. `identity` and `param` are as of an axis."""

    low: Given
    high: Given
    log: bool
    span: Span
    identity: object
    param: str | None = None


@dataclass(frozen=True, eq=False)
class Nested:
    """A declaration without axes that a field names: the data of a generation, or a generation
    whose text is joined to data."""

    record: "RecordTemplate"
    span: Span


Template: TypeAlias = Leaf | Called | Listed | Sweep | Sought | Nested
# Nobody trains so many points of one run.
MOST = 200_000


@dataclass(frozen=True, eq=False)
class RecordTemplate:
    """A declared `data`, `generate`, `train` or `export`."""

    kind: str
    name: str
    span: Span
    fields: Mapping[str, Entry]

    @cached_property
    def sweeps(self) -> "tuple[tuple[tuple[str, ...], Sweep | Sought], ...]":
        return tuple(
            found
            for entry in self.fields.values()
            for found in find_sweeps(entry.template, (self.kind, entry.name))
        )


@dataclass(frozen=True, eq=False)
class StageTemplate:
    """One stage of a model."""

    role: Role
    span: Span
    template: Template


@dataclass(frozen=True, eq=False)
class PipelineTemplate:
    """A declared model."""

    name: str
    span: Span
    stages: tuple[StageTemplate, ...]

    @cached_property
    def sweeps(self) -> "tuple[tuple[tuple[str, ...], Sweep | Sought], ...]":
        return tuple(
            found for stage in self.stages for found in find_sweeps(stage.template, (stage.role,))
        )


@dataclass(frozen=True, eq=False)
class Choice:
    """One of the models, data sets or recipes a run names, as it names it: `base(lr=1e-4)`. `text`
    leaves out arguments that hold an axis, which has a name of its own."""

    text: str
    template: RecordTemplate | PipelineTemplate


@dataclass(frozen=True, eq=False, kw_only=True)
class RunTemplate:
    """A run. Points are named after it, or after their model where `name` is None."""

    name: str | None
    span: Span
    models: tuple[Choice, ...]
    data: tuple[Choice, ...]
    train: tuple[Choice, ...] = ()
    export: Choice | None = None
    where_valid: bool = False
    excepts: tuple[tree.Arguments, ...] = ()


def count_ways(run: RunTemplate) -> int:
    """At most how many points a run has; exactly so many where every swept param is met by each."""
    params: dict[object, int] = {}

    def count(template: Template) -> int:
        if isinstance(template, Sweep) and template.param is not None:
            params[template.identity] = sum(count(option) for option in template.options)
            return 1
        if isinstance(template, Sweep):
            return sum(count(option) for option in template.options)
        if isinstance(template, Called):
            below = (*template.positional, *(e.template for e in template.args.values()))
            return math.prod(count(each) for each in below)
        return (
            math.prod(count(each) for each in template.items) if isinstance(template, Listed) else 1
        )

    def count_choice(choice: Choice) -> int:
        parts = choice.template
        if isinstance(parts, RecordTemplate):
            return math.prod(count(entry.template) for entry in parts.fields.values())
        return math.prod(count(stage.template) for stage in parts.stages)

    groups = [run.models, run.data, run.train, (run.export,) if run.export else ()]
    inline = math.prod(sum(map(count_choice, group)) for group in groups if group)
    return inline * math.prod(params.values())


def find_sweeps(
    template: Template, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Sweep | Sought]]:
    """The axes in a template, in the order evaluation meets them, each with its path; the path of a
    swept param is its name."""
    if isinstance(template, Sought):
        yield ((template.param,) if template.param else path), template
    elif isinstance(template, Sweep):
        yield ((template.param,) if template.param else path), template
        for option in template.options:
            yield from find_sweeps(option, path)
    elif isinstance(template, Called):
        for each in template.positional:
            yield from find_sweeps(each, path)
        for entry in template.args.values():
            yield from find_sweeps(entry.template, (*path, entry.name))
    elif isinstance(template, Listed):
        for each in template.items:
            yield from find_sweeps(each, path)
