"""Lists written out as text, as JSON, Python, NumPy and Spark write them into a cell.

["a", "b"]    ['a', 'b']    ('a', 'b')    ['a' 'b']    [1, 2.0]    [a, b]    [['a'], ['b']]
"""

import ast
import re
from typing import cast


PIECE = re.compile(
    r"""\s*(?:
        "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
      | (?P<bare>[^\s,'"\[(][^,]*)
    )\s*(?P<comma>,?)""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
NONE = ("None", "null", "nan", "NaN", "<NA>")
CLOSED = {"[": "]", "(": ")"}
# What begins so and is no list is a list that cannot be read, and no text.
BEGUN = re.compile(r"[\[(]+\s*['\"]")


def read_list(text: str, *, quoted: bool = False, single: bool = False) -> list[object] | None:
    """The values of a list that is written out; None for any other text.

    quoted: only a list all of whose values stand in quotes counts, for in a text brackets may be
    just brackets. single: `[a]` is a list too; else a lone word in brackets is a text.
    """
    text = text.strip()
    if len(text) < 2 or CLOSED.get(text[0]) != text[-1]:
        return None
    inner = text[1:-1].strip()
    if not inner:
        return [] if text[0] == "[" else None
    if inner[0] in "[(":
        return None if quoted else read_nested(text)
    return read_pieces(inner, closed=text[0] == "[", quoted=quoted, single=single)


def read_pieces(inner: str, *, closed: bool, quoted: bool, single: bool) -> list[object] | None:
    """The values between two brackets. closed: they are square ones."""
    found: list[object] = []
    bare = words = commas = at = 0
    while at < len(inner):
        piece = PIECE.match(inner, at)
        if piece is None:
            return None
        at = piece.end()
        commas += bool(piece["comma"])
        if piece["bare"] is None:
            given = piece["double"] if piece["double"] is not None else piece["single"]
            found.append(ESCAPE.sub(unescape, given))
            continue
        several = bare_values(piece["bare"].strip())
        if several is None:
            return None
        bare += len(several)
        words += any(isinstance(one, str) for one in several)
        found += several
    # Words without quotes are a list where commas stand between them, and nothing in quotes.
    if (bare and quoted) or (words and (len(found) > bare or not closed)):
        return None
    if words and not commas and not single:
        return None
    return found if closed or commas else None


def bare_values(text: str) -> list[object] | None:
    """What stands without quotes between two commas: a word, or numbers with blanks between as
    NumPy writes them; None for an ellipsis, which says that values were left out."""
    if "..." in text:
        return None
    parts = text.split()
    if all(NUMBER.fullmatch(part) or part in NONE for part in parts):
        return [read_bare(part) for part in parts]
    return [text]


def read_bare(text: str) -> object:
    """A number, unless zeros before it say that it is a name."""
    if text in NONE:
        return None
    digits = text.lstrip("+-")
    if digits.isdigit():
        return text if len(digits) > 1 and digits[0] == "0" else int(text)
    return float(text)


def read_nested(text: str) -> list[object] | None:
    """A list of lists, by Python's own reader of literals, which runs nothing."""
    try:
        found: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return list(cast("list[object]", found)) if isinstance(found, list | tuple) else None


def unescape(found: re.Match[str]) -> str:
    sign = found[1]
    if len(sign) > 1:
        return chr(int(sign[1:], 16))
    return SIGNS.get(sign, sign)
