"""The syntax tree: the source one to one, every part with its place.

`parse` makes it; the formatter prints it; `resolve` reads it. A spec never holds any of it. Parts
compare by identity, so they can be keys; `outline` gives what two trees must share to mean the
same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.document import Span


Kind: TypeAlias = Literal["data", "generate", "train", "export", "model"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Anything that stands somewhere."""

    span: Span


@dataclass(frozen=True, eq=False, kw_only=True)
class Word(Part):
    """A single name or keyword; the quotes of a name are in its place and not in its text."""

    text: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Path(Part):
    """Words joined by dots: a key, a symbol or a reference."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return ".".join(word.text for word in self.words)


@dataclass(frozen=True, eq=False, kw_only=True)
class Text(Part):
    """A string; `value` has its escapes undone."""

    value: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Number(Part):
    """A number without a unit."""

    value: int | float


@dataclass(frozen=True, eq=False, kw_only=True)
class Quantity(Part):
    """A number with a unit."""

    number: int | float
    unit: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Variable(Part):
    """`$name`."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Items(Part):
    """A list: `[a, b]`."""

    values: "tuple[Value, ...]"


@dataclass(frozen=True, eq=False, kw_only=True)
class Options(Part):
    """What a search chooses from: `{a, b}`."""

    values: "tuple[Value, ...]"


@dataclass(frozen=True, eq=False, kw_only=True)
class Range(Part):
    """`1..5`, or `1e-5..1e-2 log`."""

    low: Number | Quantity
    high: Number | Quantity
    log: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Arguments(Part):
    """What stands in parentheses, with them."""

    values: "tuple[Field | Value, ...]"


@dataclass(frozen=True, eq=False, kw_only=True)
class Invocation(Part):
    """A name, and the arguments it is called with; also a reference to a declaration."""

    path: Path
    args: Arguments | None = None


Value: TypeAlias = Text | Number | Quantity | Variable | Items | Invocation


@dataclass(frozen=True, eq=False, kw_only=True)
class Bind(Part):
    """`= value`."""

    value: Value


@dataclass(frozen=True, eq=False, kw_only=True)
class Axis(Part):
    """`in [a, b]`: one point for each; `in {a, b}` or `in 1e-5..1e-2 log`: for a search."""

    values: Items | Options | Range

    @property
    def written(self) -> tuple[Value, ...]:
        """The values that stand there; a range names none."""
        return () if isinstance(self.values, Range) else self.values.values


@dataclass(frozen=True, eq=False, kw_only=True)
class Field(Part):
    """`key = value` or `key in [...]`, in a block or in parentheses."""

    key: Path
    binding: Bind | Axis


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage(Part):
    """`content CNN(...)`, or `content in [...]`."""

    role: Word
    operator: Invocation | Axis

    @property
    def kind(self) -> Role:
        role: Any = self.role.text
        return role


@dataclass(frozen=True, eq=False, kw_only=True)
class Chain(Part):
    """A pipeline: stages joined by arrows."""

    stages: tuple[Stage, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Block(Part):
    """Fields in braces."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Use(Part):
    """`use "file" (names)` or `use "file" as prefix`."""

    file: Text
    names: tuple[Word, ...] = ()
    prefix: Word | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting(Part):
    """`param name = value` or `param name in [...]`."""

    name: Word
    binding: Bind | Axis


@dataclass(frozen=True, eq=False, kw_only=True)
class Declared(Part):
    """`KIND name { ... }`, `KIND name = other(...)` or `model name = stage -> stage`."""

    kind: Kind
    name: Word
    body: Block | Chain | Invocation


@dataclass(frozen=True, eq=False, kw_only=True)
class Except(Part):
    """`except (...)`: points to leave out."""

    pattern: Arguments


@dataclass(frozen=True, eq=False, kw_only=True)
class Run(Part):
    """`run name = models on data with recipes as export` and its clauses. `head` is what a message
    about the whole run points at: the word and the first name after it. `clauses` are the `where
    valid` (a Word) and `except` clauses in order."""

    name: Word | None
    head: Span
    models: tuple[Invocation, ...]
    data: tuple[Invocation, ...]
    train: tuple[Invocation, ...] = ()
    export: Invocation | None = None
    clauses: tuple[Word | Except, ...] = ()

    @property
    def where_valid(self) -> bool:
        return any(isinstance(clause, Word) for clause in self.clauses)


Item: TypeAlias = Use | Setting | Declared | Run


@dataclass(frozen=True, eq=False, kw_only=True)
class Tree(Part):
    """A file: one bare pipeline, or declarations."""

    items: tuple[Item, ...] = ()
    bare: Chain | None = None


def outline(part: Any) -> Any:
    """The tree as nested tuples without places: `f()` and `f` have one outline."""
    if isinstance(part, tuple):
        return tuple(outline(each) for each in part)
    if not isinstance(part, Part):
        return part
    if isinstance(part, Arguments) and not part.values:
        return None
    return (
        type(part).__name__,
        *(outline(getattr(part, f.name)) for f in fields(part) if f.name not in ("span", "head")),
    )


def walk(part: Any) -> Iterator[Part]:
    """The part and everything below it, in the order of the source."""
    if isinstance(part, tuple):
        for each in part:
            yield from walk(each)
    elif isinstance(part, Part):
        yield part
        for each in fields(part):
            if each.name not in ("span", "head"):
                yield from walk(getattr(part, each.name))
