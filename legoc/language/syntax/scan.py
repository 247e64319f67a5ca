"""A rough reading of a text, word by word, that no mistake in it can stop.

The parser stops at the first token that does not fit. Where to go on, which bracket is open and
where the comments stand is told from here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from legoc.language.diagnosing.document import Document, Span


STAGES = ("content", "behavior", "flatten", "predict")
DECLARATIONS = ("use", "param", "data", "generate", "train", "export", "model", "run")
RESERVED = frozenset(
    (*DECLARATIONS, *STAGES, "in", "on", "with", "as", "where", "except", "true", "false", "none")
)
PAIRS: Mapping[str, str] = {"(": ")", "[": "]", "{": "}"}
DEEPEST = 60

PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|[^\W\d]\w*|[+-]?[0-9][\w.%]*|->|[^ \t\n\r\f\v]')


@dataclass(frozen=True)
class Piece:
    """A word, number, string or sign; `first` tells whether it begins its line."""

    text: str
    start: int
    first: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_word(self) -> bool:
        return self.text[0] == "_" or self.text[0].isalpha()


def pieces(text: str, start: int = 0) -> Iterator[Piece]:
    """What stands in the text from an offset on, comments left out."""
    line = text.rfind("\n", 0, start) + 1
    seen = bool(text[line:start].strip())
    last = start
    for match in PIECE.finditer(text, start):
        if "\n" in text[last : match.start()]:
            seen = False
        last = match.end()
        if not match.group().startswith("#"):
            yield Piece(match.group(), match.start(), not seen)
        seen = True


def comments(document: Document) -> tuple[Span, ...]:
    """The comments of a document, in order."""
    return tuple(
        Span(document, match.start(), match.start() + len(match.group().rstrip()))
        for match in PIECE.finditer(document.text)
        if match.group().startswith("#")
    )


def restart(text: str, after: int) -> int:
    """The offset of the next declaration that begins at or behind `after`; else the end."""
    return next(declarations(text, after), len(text))


def declarations(text: str, after: int = 0) -> Iterator[int]:
    """Where declarations begin, at or behind `after`.

    A declaration word may also be a key or a symbol. It begins a declaration where it begins a
    line and a name (or, after `use`, a string) follows, or where a third piece tells.
    """
    found = list(pieces(text, after))
    for place, piece in enumerate(found):
        if piece.text not in DECLARATIONS or place + 1 >= len(found):
            continue
        following = found[place + 1]
        string = following.text.startswith('"')
        fits = string if piece.text == "use" else following.is_word
        third = found[place + 2].text if place + 2 < len(found) else ""
        told = piece.text != "run" and third in ("=", "{", "in", "as", "(")
        if fits and (piece.first or told):
            yield piece.start


def open_bracket(text: str, start: int, end: int) -> Piece | None:
    """The innermost bracket opened in [start, end) and not closed there."""
    stack: list[Piece] = []
    for piece in pieces(text[:end], start):
        if piece.text in PAIRS:
            stack.append(piece)
        elif stack and piece.text == PAIRS[stack[-1].text]:
            stack.pop()
    return stack[-1] if stack else None


def too_deep(text: str) -> Piece | None:
    """The bracket that goes deeper than any spec needs; the phases recurse over the tree."""
    depth = 0
    for piece in pieces(text):
        if piece.text in PAIRS:
            depth += 1
            if depth > DEEPEST:
                return piece
        elif piece.text in PAIRS.values():
            depth = max(depth - 1, 0)
    return None
