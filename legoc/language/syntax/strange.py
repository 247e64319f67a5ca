"""E0101: characters that begin nothing in the language, and what was probably meant."""

import re
from typing import Literal

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.syntax.mistakes import Mistake


NUMBER = re.compile(r"[+-]?\d[\d_]*\.?\d*([eE][+-]?\d+)?", re.ASCII)
FRACTION = re.compile(r"[+-]?\.\d+([eE][+-]?\d+)?", re.ASCII)
CURLY = re.compile(r"[“”„«»][^“”„«»\"\\\n]*[“”«»]|[‘’‚][^‘’\"\\\n]*[‘’]")
WORD = re.compile(r"[\w.%]+")
# A path that somebody left without its quotes, up to its first `/` and from there on.
BEFORE = re.compile(r"[\w.~-]*$", re.ASCII)
BEHIND = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)
ARROW = re.compile(r"=>|-+>|—>|–>|→|⟶|>|-+|—|–|\|>?|~>")
UNITS = "`k` `M` (counts), `s` `min` `h` (durations), `KiB` `MiB` `GiB` (bytes), `%` (shares)"
USUAL_UNITS = {
    "m": "min", "mins": "min", "minutes": "min", "sec": "s", "seconds": "s", "hours": "h",
    "K": "k", "mio": "M", "kb": "KiB", "mb": "MiB", "gb": "GiB", "kib": "KiB", "mib": "MiB",
    "gib": "GiB", "percent": "%",
}  # fmt: skip


def describe_character(mistake: Mistake) -> Diagnostic:
    """The diagnostic of a character that begins no token."""
    text, offset = mistake.document.text, mistake.offset
    char = text[offset]
    if char == "'":
        return single_quotes(mistake)
    if char == '"':
        return open_string(mistake)
    if CURLY.match(text, offset):
        return curly_quotes(mistake)
    if FRACTION.match(text, offset):
        return no_leading_digit(mistake)
    if char.isascii() and (
        char.isdigit() or (char in "+-" and text[offset + 1 : offset + 2].isdigit())
    ):
        return odd_number(mistake)
    if char == ":":
        return colon(mistake)
    if text.startswith("//", offset):
        return strange(mistake, 2, "a comment begins with `#`", "write `#`", replacement="#")
    if char == ";":
        return strange(mistake, 1, "nothing separates declarations", "delete it", replacement="")
    if char == "$":
        return strange(mistake, 1, "`$` is followed by the name of a param", "write `$name`")
    if ARROW.match(text, offset):
        found = ARROW.match(text, offset)
        length = len(found.group()) if found else 1
        replacement = "->" if "ARROW" in mistake.accepted else None
        return strange(
            mistake, length, "this is no sign of the language",
            "stages are joined by `->`", replacement=replacement,
        )  # fmt: skip
    if char == "/" and (path := bare_path(text, offset)):
        return strange(mistake, 1, "a path stands in quotes", f'write `"{path}"`')
    if char in "+*/^":
        return strange(mistake, 1, "there is no arithmetic", "write the result as one number")
    if char.isalpha():
        found = WORD.match(text, offset)
        length = len(found.group()) if found else 1
        return foreign_letters(Span(mistake.document, offset, offset + length))
    return strange(mistake, 1, "this is no sign of the language", "delete it or put it in a string")


def strange(
    mistake: Mistake, length: int, label: str, help: str, *, replacement: str | None = None
) -> Diagnostic:
    span = Span(mistake.document, mistake.offset, mistake.offset + length)
    shown = span.text if span.text.isprintable() else f"\\x{ord(span.text[0]):02x}"
    fix = None
    if replacement is not None:
        title = f"write `{replacement}`" if replacement else f"delete `{shown}`"
        fix = Fix(grade="safe", title=title, span=span, replacement=replacement)
    return Diagnostic(
        code="E0101",
        message=f"unexpected `{shown}`",
        labels=(Label(span=span, text=label, primary=True),),
        help=(help,),
        fix=fix,
    )


def foreign_letters(span: Span) -> Diagnostic:
    """A word with other letters, which only names an attribute."""
    return Diagnostic(
        code="E0101",
        message=f"unexpected `{span.text}`",
        labels=(Label(span=span, text="names have the letters a to z", primary=True),),
        help=('write the name in plain letters, or the text in "double quotes"',),
    )


def bare_path(text: str, offset: int) -> str | None:
    """The path around a `/`; None for a division of numbers."""
    before = BEFORE.search(text[text.rfind("\n", 0, offset) + 1 : offset])
    behind = BEHIND.match(text, offset)
    if before is None or behind is None:
        return None
    path = before.group() + behind.group()
    return path if any(char.isalpha() for char in path) else None


def colon(mistake: Mistake) -> Diagnostic:
    if "LBRACE" in mistake.accepted:
        return strange(
            mistake, 1, "the fields of a block stand in braces", "write `{ field = value }`"
        )
    fits = "EQUAL" in mistake.accepted
    return strange(
        mistake, 1, "a value is bound by `=`", "write `=`", replacement="=" if fits else None
    )


def no_leading_digit(mistake: Mistake) -> Diagnostic:
    found = FRACTION.match(mistake.document.text, mistake.offset)
    number = found.group() if found else "."
    span = Span(mistake.document, mistake.offset, mistake.offset + len(number))
    whole = number.replace(".", "0.", 1)
    return Diagnostic(
        code="E0101",
        message=f"`{number}` is not a number",
        labels=(Label(span=span, text="a decimal point stands between digits", primary=True),),
        help=(f"write `{whole}`",),
        fix=Fix(grade="safe", title=f"write `{whole}`", span=span, replacement=whole),
    )


def curly_quotes(mistake: Mistake) -> Diagnostic:
    """The quotes of a word processor."""
    found = CURLY.match(mistake.document.text, mistake.offset)
    inner = found.group()[1:-1] if found else ""
    plain = f'"{inner}"'
    return strange(
        mistake, len(inner) + 2, 'text stands in straight quotes, `"`', f"write `{plain}`",
        replacement=plain,
    )  # fmt: skip


def single_quotes(mistake: Mistake) -> Diagnostic:
    text, start = mistake.document.text, mistake.offset
    line = text[start:].split("\n", 1)[0]
    end = line.find("'", 1)
    inner = line[1:end] if end > 0 else ""
    whole = end > 0 and '"' not in inner and "\\" not in inner
    return strange(
        mistake,
        end + 1 if end > 0 else 1,
        "text stands in double quotes",
        'write "…"',
        replacement=f'"{inner}"' if whole else None,
    )


def open_string(mistake: Mistake) -> Diagnostic:
    line = mistake.document.text[mistake.offset :].split("\n", 1)[0]
    closed = re.match(r'"(?:[^"\\]|\\.)*"', line)
    span = Span(mistake.document, mistake.offset, mistake.offset + (closed.end() if closed else 1))
    if closed is None:
        what, help = "this string is not closed on its line", 'write `"` where it ends'
    else:
        what = "this string holds an escape or a control character that JSON does not know"
        help = 'write `/` between folders, `\\\\` for a backslash, `\\n`, `\\t`, `\\"` or `\\u0041`'
    return Diagnostic(
        code="E0101",
        message=what.replace("this string", "a string"),
        labels=(Label(span=span, text=what, primary=True),),
        help=(help,),
    )


def odd_number(mistake: Mistake) -> Diagnostic:
    text, start = mistake.document.text, mistake.offset
    found = NUMBER.match(text, start)
    begun = found.end() if found else start + 1
    rest = WORD.match(text, begun)
    end = rest.end() if rest else begun
    span = Span(mistake.document, start, end)
    tail = text[begun:end]
    fix: Fix | None = None
    if text[begun - 1] == "." or tail.startswith("."):
        label, help = "a decimal point stands between digits", "write `64` or `64.0`"
        if not tail:
            fix = rewrite(span, span.text.removesuffix("."), "safe")
    else:
        label, help = f"`{tail}` is no unit", f"the units are {UNITS}"
        unit = USUAL_UNITS.get(tail, USUAL_UNITS.get(tail.lower()))
        if unit is not None:
            meant = text[start:begun] + unit
            help = f"did you mean `{meant}`? {help}"
            fix = rewrite(span, meant, "ask")
    return Diagnostic(
        code="E0101",
        message=f"`{span.text}` is not a number",
        labels=(Label(span=span, text=label, primary=True),),
        help=(help,),
        fix=fix,
    )


def rewrite(span: Span, text: str, grade: Literal["safe", "ask"]) -> Fix:
    return Fix(grade=grade, title=f"write `{text}`", span=span, replacement=text)
