"""A source text and places in it."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Document:
    """The text of one file, with its path as a user would write it."""

    path: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        found = [0]
        for offset, char in enumerate(self.text):
            if char == "\n":
                found.append(offset + 1)
        return found

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line break."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(frozen=True)
class Span:
    """The half-open range of offsets [start, end) in a document."""

    document: Document
    start: int
    end: int

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]

    @property
    def position(self) -> tuple[int, int]:
        """Line and column of the first character, both from 1."""
        return self.document.position(self.start)

    def to(self, other: "Span") -> "Span":
        """The range from the beginning of this span to the end of the other."""
        return Span(self.document, self.start, other.end)
