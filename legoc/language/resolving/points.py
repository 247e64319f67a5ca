"""A point as it leaves expansion: names resolved, overrides applied, axes chosen, nothing typed
yet.

`resolve` and `expand` make these values; `lower` gives them types and defaults. Every part keeps
its place in the source. Points of one sweep share the parts they have in common (the same objects),
so that lowering can remember by identity what it has already checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.document import Span


@dataclass(frozen=True, eq=False)
class Measure:
    """A number with a unit as written: `64MiB`, `10%`, `2h`, `500k`."""

    number: int | float
    unit: str


@dataclass(frozen=True, eq=False)
class Settings:
    """A name with what was given to it: `CNN(hidden=256, kernel=3)`, or a bare word such as
    `concat`.

    `positional` are arguments without a name, in order. `args` are those with one; an override by a
    dotted key has replaced what stood there (and lies later in the text, maybe in another file).
    """

    name: str
    span: Span
    args: Mapping[str, "Argument"] = field(default_factory=dict[str, "Argument"])
    positional: tuple["Given", ...] = ()
    called: bool = False


@dataclass(frozen=True, eq=False)
class Written:
    """A file that a generation writes, which need not be there yet; None where the generation is
    at fault."""

    path: str | None


Nested: TypeAlias = "Settings | Range | Record | Written"
Plain: TypeAlias = "bool | int | float | str | Measure | Nested | tuple[Given, ...] | None"


@dataclass(frozen=True, eq=False)
class Given:
    """A value with its place; `shown` is how it is written where the place does not say it. A `str`
    was written in quotes; a word is `Settings`; `true`, `false` and `none` are their Python
    values; a tuple was a list. Relative paths are relative to the folder of `span.document`."""

    value: Plain
    span: Span
    shown: str = ""


@dataclass(frozen=True, eq=False)
class Range:
    """Values that a search chooses from, both ends included; `key` names the axis."""

    key: str
    low: Given
    high: Given
    log: bool


@dataclass(frozen=True, eq=False)
class Pick:
    """An axis with what it chose, `text`. `inside` tells that the choice of an outer axis shows it;
    `searched`, that a search chooses here. `path` is where the axis stands, or the name of a param;
    `made` is what was chosen, where that is a value."""

    key: str
    text: str
    inside: bool
    searched: bool = False
    path: tuple[str, ...] = ()
    span: Span | None = None
    made: Given | None = None

    @property
    def range(self) -> Range | None:
        """What is left open, of a range."""
        found = self.made.value if self.made is not None else None
        return found if isinstance(found, Range) else None


@dataclass(frozen=True, eq=False)
class Argument:
    """`name=value`, with the place of the name."""

    name: str
    name_span: Span
    given: Given


@dataclass(frozen=True, eq=False)
class Record:
    """A declared `data`, `generate`, `train` or `export` with its overrides applied: the fields
    that were given."""

    kind: str
    name: str
    span: Span
    fields: Mapping[str, Argument]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A model with its overrides applied: its stages in the order written."""

    name: str
    span: Span
    stages: tuple[tuple[Role, Span, Settings], ...]


@dataclass(frozen=True, eq=False)
class Point:
    """One combination of a run. `choices` names what each axis chose, by its shortest unambiguous
    path, as written by `--only` and in `name`; `picks` say more of them."""

    name: str
    model: Pipeline
    data: Record
    train: Record | None
    export: Record | None
    run: Span
    where_valid: bool
    choices: Mapping[str, str]
    picks: tuple[Pick, ...] = ()

    @property
    def searched(self) -> tuple[Pick, ...]:
        """What a search is to choose, in order."""
        return tuple(pick for pick in self.picks if pick.searched)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """What has no value yet."""
        return tuple(pick.range for pick in self.picks if pick.range is not None)


def name_point(base: str, picks: "tuple[Pick, ...]") -> str:
    """`zoo[content=CNN, hidden=64]`."""
    axes = ", ".join(f"{pick.key}={pick.text}" for pick in picks if not pick.inside)
    return f"{base}[{axes}]" if axes else base
