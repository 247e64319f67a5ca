"""Positions of the protocol: lines from 0, columns in code units of the encoding agreed upon.

A line ends at a line feed, a carriage return, or both, and nowhere else; Python's own idea of lines
knows more, so it is not used.
"""

import re
from bisect import bisect_right
from functools import lru_cache

from lsprotocol import types

from legoc.language.diagnosing.document import Document, Span


BREAK = re.compile(r"\r\n|\n|\r")


@lru_cache(maxsize=64)
def line_starts(text: str) -> tuple[int, ...]:
    """The offset at which each line begins."""
    return (0, *(match.end() for match in BREAK.finditer(text)))


def units(text: str, encoding: str) -> int:
    """The length of a text in code units: utf-8, utf-16 or utf-32."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(char > "\uffff" for char in text)


def to_position(text: str, offset: int, encoding: str) -> types.Position:
    """The position of an offset."""
    starts = line_starts(text)
    line = bisect_right(starts, offset) - 1
    return types.Position(line, units(text[starts[line] : offset], encoding))


def to_offset(text: str, position: types.Position, encoding: str) -> int:
    """The offset of a position. Behind the end of a line its end is meant, behind the last line the
    end of the text, inside a character its beginning."""
    starts = line_starts(text)
    if position.line >= len(starts):
        return len(text)
    start = starts[position.line]
    last = position.line + 1 == len(starts)
    line = text[start:] if last else text[start : starts[position.line + 1]].rstrip("\r\n")
    if line.isascii() or encoding == "utf-32":
        return start + min(position.character, len(line))
    column = 0
    for index, char in enumerate(line):
        column += units(char, encoding)
        if column > position.character:
            return start + index
    return start + len(line)


def to_range(span: Span, encoding: str) -> types.Range:
    """The range of a span in its own document."""
    text = span.document.text
    return types.Range(
        to_position(text, span.start, encoding), to_position(text, span.end, encoding)
    )


def to_span(document: Document, given: types.Range, encoding: str) -> Span:
    """The span of a range."""
    start = to_offset(document.text, given.start, encoding)
    return Span(document, start, max(start, to_offset(document.text, given.end, encoding)))


def change(text: str, event: types.TextDocumentContentChangeEvent, encoding: str) -> str:
    """A text after one change of the editor."""
    if isinstance(event, types.TextDocumentContentChangeWholeDocument):
        return event.text
    start = to_offset(text, event.range.start, encoding)
    end = max(start, to_offset(text, event.range.end, encoding))
    return text[:start] + event.text + text[end:]
