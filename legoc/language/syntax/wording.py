"""What a syntax error says: by its place if an example labels it, else by what would fit."""

import lark

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.syntax.labels import example_at
from legoc.language.syntax.mistakes import END, Mistake
from legoc.language.syntax.scan import DECLARATIONS, RESERVED, STAGES, open_bracket
from legoc.language.syntax.strange import FRACTION, describe_character, foreign_letters
from legoc.language.syntax.wording_brackets import (
    bracket_left_open,
    place,
    second_value,
    separator,
    unclosed,
    unexpected,
    unopened,
)


SIGNS = {
    "ARROW": "`->`", "EQUAL": "`=`", "COMMA": "`,`", "DOT": "`.`", "LPAR": "`(`", "RPAR": "`)`",
    "LSQB": "`[`", "RSQB": "`]`", "LBRACE": "`{`", "RBRACE": "`}`", "NAME": "a name",
    "STRING": 'a "text"', "NUMBER": "a number", "DOLLAR": "a `$param`",
}  # fmt: skip


# Words that other tools use, for those who write from memory.
USUAL_WORDS = {
    "dataset": "data", "import": "use", "include": "use", "from": "use", "let": "param",
    "const": "param", "var": "param", "set": "param", "training": "train", "recipe": "train",
    "network": "model", "pipeline": "model", "experiment": "run", "using": "with", "by": "with",
    "over": "on", "item": "content", "text": "content", "encoder": "content", "user": "behavior",
    "history": "behavior", "clicks": "behavior", "predictor": "predict", "score": "predict",
    "for": "in", "unless": "except", "without": "except", "if": "where",
}  # fmt: skip


def describe(mistake: Mistake) -> Diagnostic:
    """The diagnostic of a syntax error: E0101 or E0102."""
    if mistake.kind in (None, "LETTERS"):
        return describe_character(mistake)
    before = mistake.before
    if before is not None and before.type == "LETTERS" and mistake.text in ("=", "in"):
        return foreign_letters(Span(mistake.document, before.start_pos or 0, before.end_pos or 0))
    text, offset = mistake.document.text, mistake.offset
    if text.startswith("=>", offset) or (mistake.text == "." and FRACTION.match(text, offset)):
        return describe_character(mistake)
    return (
        bound_range(mistake)
        or unfinished(mistake)
        or word_as_name(mistake)
        or misspelt(mistake)
        or labelled(mistake)
        or unclosed(mistake)
        or unopened(mistake)
        or separator(mistake)
        or second_value(mistake)
        or stray_pipeline(mistake)
        or unexpected(mistake, "this does not fit here", help=fitting(mistake))
    )


def bound_range(mistake: Mistake) -> Diagnostic | None:
    """A range in the place of one value."""
    if mistake.kind != "DOTS" or "DOTS" in mistake.accepted:
        return None
    return unexpected(
        mistake, "a range follows `in`", help="write, for instance, `seed in 1..5`, without `=`"
    )


def unfinished(mistake: Mistake) -> Diagnostic | None:
    """A declaration word taken for a name, because the declaration before was not finished."""
    before = mistake.before
    if before is None or str(before) not in DECLARATIONS or mistake.kind not in ("NAME", "STRING"):
        return None
    text, start = mistake.document.text, before.start_pos or 0
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if line.strip() or start <= mistake.start:
        return None
    span = Span(mistake.document, start, start + len(before))
    bracket = open_bracket(text, mistake.start, start)
    if bracket is not None:
        return bracket_left_open(mistake, bracket.text, bracket.start, span)
    return Diagnostic(
        code="E0102",
        message=f"unexpected `{before}`",
        labels=(
            Label(
                span=span, primary=True,
                text="a declaration begins here, but the one before is not finished",
            ),
        ),
        help=("finish what stands before it",),
    )  # fmt: skip


def word_as_name(mistake: Mistake) -> Diagnostic | None:
    """A word that the parser took for a name: reserved, or a stage misspelt behind `model m =`."""
    before = mistake.before
    if before is None or before.type != "NAME":
        return None
    if mistake.kind not in ("NAME", "STRING"):
        return sweep_misspelt(mistake, before)
    start = before.start_pos or 0
    span = Span(mistake.document, start, start + len(before))
    word = None
    if mistake.document.text[:start].rstrip().endswith("=") and "RPAR" not in mistake.accepted:
        word = nearest(str(before), STAGES)
    if word is not None:
        return Diagnostic(
            code="E0102",
            message=f"unexpected `{before}`",
            labels=(Label(span=span, text="this word does not fit here", primary=True),),
            help=(f"did you mean `{word}`?",),
            fix=Fix(grade="safe", title=f"write `{word}`", span=span, replacement=word),
        )
    if str(before) not in RESERVED:
        return None
    return Diagnostic(
        code="E0102",
        message=f"unexpected `{before}`",
        labels=(Label(span=span, text="a name is missing before this word", primary=True),),
        help=(f"`{before}` is a word of the language and names nothing",),
    )


def sweep_misspelt(mistake: Mistake, before: lark.Token) -> Diagnostic | None:
    """`in` before a list, taken for the name of an operator: `content im [CNN, GRU]`."""
    if mistake.kind != "LSQB" or "IN" in mistake.accepted or not before.islower():
        return None
    if nearest(str(before), ("in",)) is None:
        return None
    start = before.start_pos or 0
    span = Span(mistake.document, start, start + len(before))
    return Diagnostic(
        code="E0102",
        message=f"unexpected `{before}`",
        labels=(Label(span=span, text="this word does not fit here", primary=True),),
        help=("did you mean `in`? Several operators for a stage follow it",),
        fix=Fix(grade="safe", title="write `in`", span=span, replacement="in"),
    )


def misspelt(mistake: Mistake) -> Diagnostic | None:
    """A word one or two letters away from one that fits."""
    if mistake.kind != "NAME" or "NAME" in mistake.accepted:
        return None
    usual = USUAL_WORDS.get(mistake.text.lower())
    if usual is not None and usual in mistake.words:
        fix = Fix(grade="ask", title=f"write `{usual}`", span=place(mistake), replacement=usual)
        return unexpected(
            mistake, "this word does not fit here", help=f"the word is `{usual}` here", fix=fix
        )
    word = nearest(mistake.text, mistake.words)
    if word is None:
        if mistake.offset == mistake.start or not set(DECLARATIONS) - set(mistake.words):
            return start_of_declaration(mistake)
        return None
    fix = Fix(
        grade="safe", title=f"write `{word}`", span=place(mistake), replacement=word
    )  # fmt: skip
    return unexpected(
        mistake, "this word does not fit here", help=f"did you mean `{word}`?", fix=fix
    )


def start_of_declaration(mistake: Mistake) -> Diagnostic | None:
    if not {"USE", "RUN"} <= mistake.accepted or "COMMA" in mistake.accepted:
        return None
    return unexpected(
        mistake,
        "no declaration begins with this",
        help=f"begin with {listing(DECLARATIONS, quote='`', joint='or')}",
    )


def labelled(mistake: Mistake) -> Diagnostic | None:
    """What the examples say of this place."""
    example = example_at(mistake)
    if example is None:
        return None
    span = place(mistake)
    fix = None
    if example.insert:
        at = Span(span.document, span.start, span.start)
        title = f"insert `{example.insert}`"
        fix = Fix(grade="safe", title=title, span=at, replacement=example.insert)
    elif example.delete:
        fix = Fix(grade="safe", title=f"delete `{mistake.text}`", span=span, replacement="")
    return unexpected(mistake, example.label, help=example.help, fix=fix)


def stray_pipeline(mistake: Mistake) -> Diagnostic | None:
    if mistake.text not in STAGES or "RUN" not in mistake.accepted:
        return None
    return unexpected(
        mistake,
        "a pipeline among declarations needs a name",
        help="write `model NAME = ` before it, and `run NAME on DATA` after it",
    )


def fitting(mistake: Mistake) -> str:
    """What could stand here, in words."""
    if not mistake.accepted - {END}:
        return "nothing more fits here: delete it"
    signs = [SIGNS[kind] for kind in SIGNS if kind in mistake.accepted]
    words = [f"`{word}`" for word in mistake.words]
    if set(DECLARATIONS) <= set(mistake.words):
        words = [w for w in words if w.strip("`") not in DECLARATIONS] + ["the next declaration"]
    ends = ["the end of the file"] if END in mistake.accepted and not words else []
    return f"here could stand {listing([*signs, *words, *ends], joint='or')}"
