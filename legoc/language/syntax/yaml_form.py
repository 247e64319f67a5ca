"""YAML with places, as much of it as a spec needs.

Plain words are read by the core schema of YAML 1.2, so `1e-3` is a number and `on` a word. What
would make one text mean several things (anchors, tags, several documents) is refused.
"""

import re
from collections.abc import Iterator
from typing import Any

from legoc.language.diagnosing.document import Document, Span
from legoc.language.syntax.nodes import (
    DEEPEST,
    Mapping,
    Node,
    Pair,
    Scalar,
    Sequence,
    Unreadable,
    too_deep,
)


NULL = re.compile(r"~|null|Null|NULL|")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][+-]?\d+)?", re.ASCII)
DIGITS = 400


def read_yaml(document: Document) -> Node:
    """The nodes of a YAML text. Raises Unreadable where it is none."""
    import yaml

    events: Any = yaml.parse(document.text, Loader=yaml.SafeLoader)
    reader = Reader(document)
    try:
        return reader.document_of(events)
    except yaml.MarkedYAMLError as error:
        raise reader.unreadable(error) from None
    except yaml.reader.ReaderError as error:
        at = min(error.position, len(document.text))
        raise Unreadable(
            Span(document, at, min(at + 1, len(document.text))),
            "a character does not belong in YAML", "this one", "delete it",
        ) from None  # fmt: skip


class Reader:
    """Composes nodes from the events of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def span(self, start: Any, end: Any) -> Span:
        return Span(self.document, start.index, max(end.index, start.index))

    def unreadable(self, error: Any) -> Unreadable:
        """What PyYAML says, at the place it says it of."""
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(self.document.text)) if mark is not None else 0
        if at == len(self.document.text):
            # A mark behind the last line break would stand on a line that nobody sees.
            at = max(len(self.document.text.rstrip()) - 1, 0)
        span = Span(self.document, at, min(at + 1, len(self.document.text)))
        problem = (error.problem or "it ends too early").rstrip(".")
        return Unreadable(
            span, "the document is not YAML", problem,
            "indent with spaces, put one space behind each `:`, and close brackets and quotes",
        )  # fmt: skip

    def document_of(self, events: Iterator[Any]) -> Node:
        node: Node | None = None
        for event in events:
            name = type(event).__name__
            if name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"):
                if node is not None:
                    raise Unreadable(
                        self.span(event.start_mark, event.start_mark),
                        "a second document begins", "behind `---`",
                        "write several specs as one list",
                    )  # fmt: skip
                node = self.node(event, events, 0)
        if node is None:
            return Scalar(value=None, span=Span(self.document, 0, 0))
        return node

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        span = self.span(event.start_mark, event.end_mark)
        name = type(event).__name__
        if name == "AliasEvent" or event.anchor is not None:
            raise Unreadable(
                span, "anchors and aliases are not read", "one of them",
                "write the value out, or use a .lego file: there, a copy is a call",
            )  # fmt: skip
        if event.tag not in (None, "!"):
            raise Unreadable(span, "tags are not read", f"`{event.tag}`", "leave the tag out")
        if depth > DEEPEST:
            raise too_deep(span)
        if name == "ScalarEvent":
            return self.scalar(event, span)
        if name == "SequenceStartEvent":
            return self.sequence(span, events, depth)
        return self.mapping(span, events, depth)

    def scalar(self, event: Any, span: Span) -> Scalar:
        if event.style in ("'", '"'):
            return Scalar(value=event.value, span=Span(span.document, span.start + 1, span.end - 1))
        if event.style is not None:
            return Scalar(value=event.value, span=span)
        return Scalar(value=self.plain(event.value, span), span=span)

    def plain(self, text: str, span: Span) -> bool | int | float | str | None:
        if NULL.fullmatch(text):
            return None
        if TRUE.fullmatch(text):
            return True
        if FALSE.fullmatch(text):
            return False
        if len(text) > DIGITS or not NUMBER.fullmatch(text):
            return text
        if WHOLE.fullmatch(text):
            return int(text)
        value = float(text)
        if abs(value) == float("inf"):
            raise Unreadable(span, "a number is too large", "larger than any float")
        return value

    def sequence(self, span: Span, events: Iterator[Any], depth: int) -> Sequence:
        items: list[Node] = []
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                return Sequence(items=tuple(items), span=self.around(span, event, items))
            items.append(self.node(event, events, depth + 1))
        raise AssertionError("PyYAML ends every list")

    def mapping(self, span: Span, events: Iterator[Any], depth: int) -> Mapping:
        pairs: list[Pair] = []
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                inner = [pair.value for pair in pairs]
                return Mapping(pairs=tuple(pairs), span=self.around(span, event, inner))
            key = self.node(event, events, depth + 1)
            if not isinstance(key, Scalar):
                raise Unreadable(key.span, "a key must be a word", "a list or a mapping")
            text = event.value
            value = self.node(next(events), events, depth + 1)
            pairs.append(Pair(key=text, key_span=key.span, value=value))
        raise AssertionError("PyYAML ends every mapping")

    def around(self, start: Span, event: Any, inner: list[Node]) -> Span:
        """A block ends with its last part; YAML's own mark lies before whatever comes next."""
        end = event.end_mark.index
        if event.start_mark.index == end:
            end = inner[-1].span.end if inner else start.end
        return Span(self.document, start.start, max(end, start.start))
