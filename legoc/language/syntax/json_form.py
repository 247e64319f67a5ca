"""JSON with places: the standard reader gives values, and a message needs to know where they stand.

Strict RFC 8259: no comments, no comma behind the last element, no NaN.
"""

import json
import re

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


BLANK = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)
TEXT = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS = {"null": None, "true": True, "false": False}
# Longer than any number of a spec, and short enough that Python reads it in a moment.
DIGITS = 400


def read_json(document: Document) -> Node:
    """The nodes of a JSON text. Raises Unreadable where it is none."""
    reader = Reader(document)
    node = reader.value(0)
    reader.skip()
    if reader.at < len(document.text):
        raise reader.stopped("the document goes on behind its end", "nothing may follow here")
    return node


class Reader:
    """Reads one document from left to right; `at` is where it stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.at = 0

    def span(self, start: int, end: int) -> Span:
        return Span(self.document, start, end)

    def stopped(self, message: str, label: str, *help: str) -> Unreadable:
        at = min(self.at, len(self.text))
        return Unreadable(self.span(at, min(at + 1, len(self.text))), message, label, *help)

    def skip(self) -> None:
        found = BLANK.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def next(self) -> str:
        """The next character behind blanks; empty at the end."""
        self.skip()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Node:
        sign = self.next()
        if depth > DEEPEST:
            raise too_deep(self.span(self.at, self.at + 1))
        if sign == "{":
            return self.mapping(depth)
        if sign == "[":
            return self.sequence(depth)
        if sign == '"':
            value, span = self.string()
            return Scalar(value=value, span=span)
        number = NUMBER.match(self.text, self.at)
        if number is not None:
            return self.number(number)
        word = WORD.match(self.text, self.at)
        if word is not None and word.group() in WORDS:
            self.at = word.end()
            return Scalar(value=WORDS[word.group()], span=self.span(word.start(), word.end()))
        if word is not None:
            span = self.span(word.start(), word.end())
            text = f'in JSON a text stands in quotes: `"{word.group()}"`'
            raise Unreadable(span, f"`{word.group()}` is no value", "a bare word", text)
        if not sign:
            raise self.stopped("the document ends too early", "a value is missing here")
        if sign == "'":
            raise self.stopped("texts stand in double quotes", "a single quote", 'write `"..."`')
        raise self.stopped(f"`{sign}` begins no value", "a value is missing here")

    def number(self, found: re.Match[str]) -> Scalar:
        text, span = found.group(), self.span(found.start(), found.end())
        self.at = found.end()
        whole = found["fraction"] is None and found["exponent"] is None
        if len(text) > DIGITS:
            raise Unreadable(span, "a number is too long", f"more than {DIGITS} digits")
        value = int(text) if whole else float(text)
        if abs(value) == float("inf"):
            raise Unreadable(span, "a number is too large", "larger than any float")
        return Scalar(value=value, span=span)

    def string(self) -> tuple[str, Span]:
        found = TEXT.match(self.text, self.at)
        if found is None:
            line = self.text.find("\n", self.at)
            end = line if line >= 0 else len(self.text)
            raise Unreadable(
                self.span(self.at, end), "a text in quotes does not end", "begins here",
                "close it on its line; a backslash stands before one of `\"\\/bfnrtu`",
            )  # fmt: skip
        self.at = found.end()
        return json.loads(found.group()), self.span(found.start() + 1, found.end() - 1)

    def sequence(self, depth: int) -> Sequence:
        start = self.at
        self.at += 1
        items: list[Node] = []
        while self.next() != "]":
            if items:
                self.comma("]")
            items.append(self.value(depth + 1))
        self.at += 1
        return Sequence(items=tuple(items), span=self.span(start, self.at))

    def mapping(self, depth: int) -> Mapping:
        start = self.at
        self.at += 1
        pairs: list[Pair] = []
        while self.next() != "}":
            if pairs:
                self.comma("}")
            if self.next() != '"':
                raise self.stopped(
                    "a key stands in double quotes", "a key is missing here", 'write `"key": value`'
                )
            key, span = self.string()
            if self.next() != ":":
                raise self.stopped(f"no value follows `{key}`", "`:` is missing here")
            self.at += 1
            pairs.append(Pair(key=key, key_span=span, value=self.value(depth + 1)))
        self.at += 1
        return Mapping(pairs=tuple(pairs), span=self.span(start, self.at))

    def comma(self, closing: str) -> None:
        if self.next() != ",":
            raise self.stopped(
                f"neither `,` nor `{closing}` follows", f"`,` or `{closing}` is missing here"
            )
        self.at += 1
        if self.next() == closing:
            raise self.stopped(
                "a comma stands behind the last element", "nothing follows the comma",
                "delete the comma",
            )  # fmt: skip
