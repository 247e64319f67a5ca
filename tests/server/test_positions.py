"""Offsets and positions: against Python's own encoders, and edits against plain slices."""

import random

import pytest
from lsprotocol import types

from legoc.language.diagnosing.document import Document, Span
from legoc.server.positions import change, to_offset, to_position, to_range, to_span


TEXTS = [
    "", "a", "\n", "a\nb\n", "a\r\nb\rc\n\n", "# Größe 模型 🙂x\nparam π = 3",
    'model m = content CNN  # \u2028 no line \x0c ends here \x85\nrun m on d\n', "🙂\n🙂🙂\r\n",
]  # fmt: skip
WIDTHS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
ENCODERS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


def naive(text: str, offset: int, encoding: str) -> tuple[int, int]:
    """Line and column by reading on from the beginning."""
    line, start = 0, 0
    for at in range(offset):
        if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
            line, start = line + 1, at + 1
    column = len(text[start:offset].encode(ENCODERS[encoding])) // WIDTHS[encoding]
    return line, column


@pytest.mark.parametrize("encoding", WIDTHS)
@pytest.mark.parametrize("text", TEXTS)
def test_positions_are_those_of_an_encoder(text: str, encoding: str) -> None:
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # between the two no position is
        found = to_position(text, offset, encoding)
        assert (found.line, found.character) == naive(text, offset, encoding)
        assert to_offset(text, found, encoding) == offset


def test_positions_beyond_the_text() -> None:
    text = "ab\r\n🙂c\n"
    assert to_offset(text, types.Position(0, 99), "utf-16") == 2
    assert to_offset(text, types.Position(9, 0), "utf-16") == len(text)
    assert to_offset(text, types.Position(1, 1), "utf-16") == 4  # inside a surrogate pair
    assert to_offset(text, types.Position(1, 2), "utf-16") == 5
    assert to_offset(text, types.Position(2, 5), "utf-16") == len(text)


@pytest.mark.parametrize("encoding", WIDTHS)
def test_random_edits_give_what_slices_give(encoding: str) -> None:
    draw = random.Random(7)
    text = TEXTS[5]
    for _ in range(300):
        start, end = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        if "\r\n" in (text[start - 1 : start + 1], text[end - 1 : end + 1]):
            continue
        new = draw.choice(["", "x", "🙂", "\n", "模\r\n", "\r", "\u2028"])
        document = Document("t", text)
        given = to_range(Span(document, start, end), encoding)
        assert to_span(document, given, encoding) == Span(document, start, end)
        event = types.TextDocumentContentChangePartial(range=given, text=new)
        expected = text[:start] + new + text[end:]
        text = change(text, event, encoding)
        assert text == expected
    assert change(text, types.TextDocumentContentChangeWholeDocument("new"), encoding) == "new"
