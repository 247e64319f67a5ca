"""Syntax errors at brackets: one that is not closed or not opened, and values side by side."""

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.syntax.mistakes import END, Mistake
from legoc.language.syntax.scan import PAIRS, STAGES, Piece, open_bracket, pieces


CLOSERS = {"(": "RPAR", "[": "RSQB", "{": "RBRACE"}
VALUES = frozenset(
    (
        "STRING", "NUMBER", "QUANTITY", "DOLLAR", "NAME", "LSQB", "DATA", "MODEL", "TRAIN",
        "EXPORT", "GENERATE",
    )
)  # fmt: skip


def place(mistake: Mistake) -> Span:
    """The offending token; behind the last one at the end of the file."""
    start = mistake.offset
    if mistake.kind == END:
        behind = 0
        for piece in pieces(mistake.document.text):
            behind = piece.end
        return Span(mistake.document, behind, behind)
    return Span(mistake.document, start, start + len(mistake.text))


def name_of(mistake: Mistake) -> str:
    if mistake.kind == END:
        return "end of the file"
    shown = mistake.text if len(mistake.text) <= 30 else f"{mistake.text[:29]}…"
    return f"`{shown}`"


def unexpected(
    mistake: Mistake, label: str, *, help: str = "", fix: Fix | None = None
) -> Diagnostic:
    return Diagnostic(
        code="E0102",
        message=f"unexpected {name_of(mistake)}",
        labels=(Label(span=place(mistake), text=label, primary=True),),
        help=(help,) if help else (),
        fix=fix,
    )


def unclosed(mistake: Mistake) -> Diagnostic | None:
    """An open bracket whose closer would fit, and a token that continues nothing inside it."""
    bracket = open_bracket(mistake.document.text, mistake.start, mistake.offset)
    if bracket is None:
        return None
    goes_on = (mistake.kind in VALUES or mistake.text in STAGES) and not next_field(
        mistake, bracket
    )
    if mistake.kind != END and (goes_on or CLOSERS[bracket.text] not in mistake.accepted):
        return None
    return bracket_left_open(mistake, bracket.text, bracket.start, place(mistake))


def next_field(mistake: Mistake, bracket: Piece) -> bool:
    """Whether a token is rather the next field of the block around a bracket: `name =` in a list,
    or on a line of its own behind arguments that began beside their bracket."""
    text, offset = mistake.document.text, mistake.offset
    if mistake.kind != "NAME" or not text[offset + len(mistake.text) :].lstrip().startswith("="):
        return False
    alone = not text[text.rfind("\n", 0, offset) + 1 : offset].strip()
    beside = text[bracket.end :].split("\n", 1)[0].strip() != ""
    return bracket.text == "[" or (alone and beside)


def bracket_left_open(mistake: Mistake, sign: str, start: int, before: Span) -> Diagnostic:
    opened = Span(mistake.document, start, start + 1)
    return Diagnostic(
        code="E0102",
        message=f"`{sign}` is not closed",
        labels=(
            Label(span=opened, text="opened here", primary=True),
            Label(span=before, text=f"`{PAIRS[sign]}` is missing before this"),
        ),
        help=(f"write `{PAIRS[sign]}` where it ends",),
    )


def unopened(mistake: Mistake) -> Diagnostic | None:
    """A closing bracket without an opening one."""
    opener = next((sign for sign, closer in PAIRS.items() if closer == mistake.text), None)
    text = mistake.document.text
    if opener is None or open_bracket(text, mistake.start, mistake.offset) is not None:
        return None
    fix = None
    if text[: mistake.offset].rstrip().endswith(mistake.text):
        title = f"delete `{mistake.text}`"
        fix = Fix(grade="safe", title=title, span=place(mistake), replacement="")
    return unexpected(
        mistake, f"no `{opener}` is open here", help=f"delete it, or write `{opener}` where it "
        "begins", fix=fix,
    )  # fmt: skip


def separator(mistake: Mistake) -> Diagnostic | None:
    """Two values side by side."""
    if "COMMA" not in mistake.accepted or not (mistake.kind in VALUES or mistake.text in STAGES):
        return None
    bracket = open_bracket(mistake.document.text, mistake.start, mistake.offset)
    if bracket is None:
        return None
    span = place(mistake)
    at = Span(span.document, span.start, span.start)
    word = mistake.before is not None and str(mistake.before).replace("_", "a").isalnum()
    named = mistake.before is not None and mistake.before.type == "NAME"
    if bracket.text == "[" and named and mistake.kind in ("NUMBER", "QUANTITY"):
        called = f"{mistake.before}({mistake.text})"
        return unexpected(
            mistake,
            "a setting stands in round brackets",
            help=f"write `{called}`, or `,` between two values",
        )
    if "EQUAL" in mistake.accepted and word and mistake.kind != "NAME":
        fix = Fix(grade="safe", title="insert `= `", span=at, replacement="= ")
        return unexpected(mistake, "`=` is missing before this", fix=fix)
    fix = Fix(grade="safe", title="insert `, `", span=at, replacement=", ")
    return unexpected(mistake, "`,` is missing before this", fix=fix)


def second_value(mistake: Mistake) -> Diagnostic | None:
    """A value behind the value of a field."""
    bracket = open_bracket(mistake.document.text, mistake.start, mistake.offset)
    if bracket is None or bracket.text != "{" or "RBRACE" not in mistake.accepted:
        return None
    if mistake.kind not in ("NUMBER", "QUANTITY", "STRING", "DOLLAR"):
        return None
    return unexpected(
        mistake, "a field has one value", help="delete it, or write a list: `[value, value]`"
    )
