"""A JSON or YAML text as nodes with their places: what both readers yield.

The span of a text in quotes leaves the quotes out, so that a label points at what is inside and a
fix replaces nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span


DEEPEST = 60


@dataclass(frozen=True, eq=False, kw_only=True)
class Scalar:
    """null, a truth value, a number or a text."""

    value: bool | int | float | str | None
    span: Span


@dataclass(frozen=True, eq=False, kw_only=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """`key: value`."""

    key: str
    key_span: Span
    value: "Node"

    @property
    def span(self) -> Span:
        return self.key_span.to(self.value.span)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mapping:
    """Keys with values, in the order written; a key may stand twice."""

    pairs: tuple[Pair, ...]
    span: Span

    def get(self, key: str) -> "Node | None":
        """The value of a key: of its last place, where it stands twice."""
        return next((pair.value for pair in reversed(self.pairs) if pair.key == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


class Unreadable(Exception):
    """A text that is not JSON or YAML; it carries the diagnostic."""

    def __init__(self, span: Span, message: str, label: str, *help: str) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(
            code="E0901",
            message=message,
            labels=(Label(span=span, text=label, primary=True),),
            help=help,
        )


def too_deep(span: Span) -> Unreadable:
    return Unreadable(
        span, "the document is nested too deep", f"more than {DEEPEST} levels",
        "no spec needs so many: take some of the brackets away",
    )  # fmt: skip


def repeated_keys(node: Node) -> Iterator[Diagnostic]:
    """E0205 for each key that stands twice in one mapping, at any depth."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from repeated_keys(item)
    elif isinstance(node, Mapping):
        seen: dict[str, Span] = {}
        for pair in node.pairs:
            first = seen.setdefault(pair.key, pair.key_span)
            if first is not pair.key_span:
                yield Diagnostic(
                    code="E0205",
                    message=f"`{pair.key}` is given twice",
                    labels=(
                        Label(span=pair.key_span, text="given again", primary=True),
                        Label(span=first, text="first given here"),
                    ),
                    help=("delete one of them",),
                )
            yield from repeated_keys(pair.value)


def kind_of(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    match node.value:
        case None:
            return "nothing"
        case bool():
            return "a truth value"
        case str():
            return "text"
        case _:
            return "a number"
