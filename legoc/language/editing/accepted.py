"""What the parser would take next, behind a text that may hold mistakes."""

from functools import lru_cache

import lark

from legoc.language.diagnosing.document import Document
from legoc.language.syntax.grammar import parser
from legoc.language.syntax.mistakes import WORDS
from legoc.language.syntax.scan import STAGES


# Signs that are most often missing, put in before the token that does not fit.
SIGNS = (", ", "-> ", "= ")
MOST = 30
KEYS = frozenset((*map(str.upper, STAGES), "DATA", "MODEL", "TRAIN", "EXPORT", "GENERATE"))


def accepted(document: Document, start: int, end: int) -> frozenset[str]:
    """The kinds of tokens that fit behind the text from `start`, where a declaration begins, to
    `end`. Tokens before it that do not fit are read as if they were not there."""
    return accepted_behind(document.text[start:end])


@lru_cache(maxsize=256)
def accepted_behind(text: str) -> frozenset[str]:
    for _ in range(MOST):
        stop = accepted_or_stop(text)
        if isinstance(stop, frozenset):
            return stop
        text = repaired(text, stop)
    return frozenset()


def accepted_or_stop(text: str) -> "frozenset[str] | tuple[int, int]":
    """What fits behind a text, or where it stops to be read."""
    state = parser().parse_interactive(text, start="start")
    try:
        state.exhaust_lexer()
    except lark.exceptions.UnexpectedToken as error:
        start = error.token.start_pos or 0
        return start, start + len(error.token)
    except lark.exceptions.UnexpectedCharacters as error:
        return error.pos_in_stream or 0, (error.pos_in_stream or 0) + 1
    return frozenset(state.accepts())


def repaired(text: str, stop: tuple[int, int]) -> str:
    """The text with a sign put in before what does not fit, if that gets further; else without
    it."""
    start, end = stop
    for sign in SIGNS:
        longer = f"{text[:start]}{sign}{text[start:]}"
        after = accepted_or_stop(longer)
        if isinstance(after, frozenset) or after[0] >= end + len(sign):
            return longer
    return f"{text[:start]} {text[end:]}"


def words(kinds: frozenset[str]) -> tuple[str, ...]:
    """The words of the language among token kinds, without those that could only be keys or
    symbols."""
    paths = "NAME" in kinds and "DATA" in kinds and "RUN" not in kinds
    left = kinds - KEYS if paths else kinds
    return tuple(word for kind, word in WORDS.items() if kind in left)
