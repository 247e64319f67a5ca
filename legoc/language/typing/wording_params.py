"""What is said about operators, arguments and values: one function per message."""

import os
import re
from collections.abc import Sequence

from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import LARGEST, Kind, Param
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.resolving.points import Given, Measure, Range, Settings
from legoc.language.resolving.wording_operators import (
    ROLE_NAMES,
    article,
    is_record,
    primary,
    respell,
    rewrite,
)


UNITS = {
    "share": ("a share", "10%", "%"),
    "duration": ("a duration", "2h", "s, min or h"),
    "count": ("a count", "500k", "k or M"),
    "bytes": ("a size", "64MiB", "KiB, MiB or GiB"),
}
UNIT_OF = {
    "%": "share", "s": "duration", "min": "duration", "h": "duration", "k": "count", "M": "count",
    "KiB": "bytes", "MiB": "bytes", "GiB": "bytes",
}  # fmt: skip
SHOWN = {
    "folder": '"FOLDER"', "file": '"FILE"', "model": '"FOLDER"', "vectors": '"FILE"',
    "str": '"TEXT"', "int": "5", "float": "0.5",
}  # fmt: skip
PATHS = ("str", "file", "folder", "model", "vectors")
PLAIN = {
    "int": re.compile(r"-?\d+", re.ASCII),
    "float": re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII),
}
LONGEST = 60


def quoted(span: Span) -> str:
    """The text of a place, shortened to stay on a line."""
    text = " ".join(span.text.split())
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}`"


def owned(p: Param, owner: Declaration) -> str:
    """How a parameter is named in a message: with its operator, or alone in a record."""
    return f"`{p.name}`" if is_record(owner) else f"`{p.name}` of {owner.name}"


def purpose(p: Param, owner: Declaration) -> tuple[str, ...]:
    if p.name == owner.facts.get("by") and owner.param("path") is not None:
        return (f"`{p.name}`: {p.doc}; another model by `path`",)
    return (f"`{p.name}`: {p.doc}",) if p.doc else ()


def wanted(kind: Kind) -> str:
    """What values a kind has, as a phrase that follows `must be`."""
    if kind.name == "enum":
        return listing(kind.values, joint="or")
    if kind.name == "quantity" and kind.unit is not None:
        noun, example, _ = UNITS[kind.unit]
        return f"{noun} such as {example}"
    if kind.name == "operator":
        return article(ROLE_NAMES[kind.role or "side"])
    return {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "text in quotes",
        "file": "the path of a file, in quotes",
        "folder": "the path of a folder, in quotes",
        "model": "the folder of a model or its name on a hub, in quotes",
        "vectors": "the path of a file, the folder of a model or its name on a hub, in quotes",
        "list": "a list",
        "column": "the name of an attribute, without quotes",
        "data": "the name of a declared data set",
    }.get(kind.name, "an attribute")


def describe(given: Given) -> str:
    """What a value is, as a phrase that follows its text."""
    match given.value:
        case None:
            return "nothing"
        case bool():
            return "a truth value"
        case int():
            return "a whole number"
        case float():
            return "a number with a fraction"
        case str():
            return "text"
        case Measure():
            return "a number with a unit"
        case Range():
            return "a range of numbers"
        case Settings(called=True):
            return "an operator with settings"
        case Settings():
            return "a word"
        case _:
            return "a list"


def needs_name(given: Given, owner: Declaration) -> Diagnostic:
    names = [p.name for p in owner.params]
    listed = f"parameters: {', '.join(names)}"
    if owner.primary is not None:
        help = f"only `{owner.primary}` may stand without a name; {listed}"
    elif names:
        help = f"write `{owner.name}({names[0]}=...)`; {listed}"
    else:
        help = f"{owner.name} has no parameters; write `{owner.name}`"
    return Diagnostic(
        code="E0301",
        message=f"an argument of {owner.name} needs a name",
        labels=(primary(given.span, "which parameter is this?"),),
        help=(help,),
    )


def given_twice(p: Param, first: Span, second: Span, owner: Declaration) -> Diagnostic:
    return Diagnostic(
        code="E0205",
        message=f"{owned(p, owner)} is given twice",
        labels=(Label(span=first, text="first here"), primary(second, "and again here")),
        help=("keep one of the two",),
    )


def missing(p: Param, owner: Declaration, span: Span) -> Diagnostic:
    shown = SHOWN.get(p.kind.name, "...")
    if is_record(owner) and p.kind.role is not None:
        help = f"add `{p.name} = NAME`; `legoc operators {p.kind.role}` lists what there is"
    elif is_record(owner):
        help = f"add `{p.name} = {shown}`"
    else:
        help = f"write `{owner.name}({shown if owner.primary == p.name else f'{p.name}={shown}'})`"
    return Diagnostic(
        code="E0304",
        message=f"`{owner.name}` needs `{p.name}`",
        labels=(primary(span, f"`{p.name}` is not given"),),
        help=(f"{help}: {p.doc}" if p.doc else help,),
    )


def wrong_kind(
    p: Param, kind: Kind, owner: Declaration, given: Given, operators: Sequence[str] = ()
) -> Diagnostic:
    """operators: the names of those that would fit, where an operator is wanted."""
    fix: Fix | None = None
    help = purpose(p, owner)
    match kind.name, given.value:
        case "int", float(value) if value.is_integer() and abs(value) < 2**53:
            fix = rewrite(given.span, str(int(value)))
        case (("int" | "float"), str(value)) if PLAIN[kind.name].fullmatch(value):
            help = ("a number stands without quotes",)
            fix = rewrite(given.span, value)
        case (("int" | "float" | "bool" | "enum" | "str"), tuple()):
            help = (f"a list is one value; to sweep, write `{p.name} in {given.span.text}`",)
        case "bool", Settings(name=name, called=False) if name.lower() in ("true", "false"):
            fix = rewrite(given.span, name.lower())
        case _, Settings(name="None" | "null" | "Null", called=False) if p.optional:
            fix = rewrite(given.span, "none")
        case "operator", True if operators:
            choices = [f"`{p.name}={name}`" for name in operators]
            help = (f"write {listing(choices, joint='or')}",)
        case "operator", False if p.optional:
            help = (f"leave `{p.name}` out",)
        case "operator", str(value) if value.isidentifier():
            help = (f"a name stands without quotes: `{value}`",)
        case "enum", str(value) if value in kind.values:
            fix = rewrite(given.span, value)
            help = ("a word of the language stands without quotes",)
        case "enum", Settings(name=name, called=False):
            meant = nearest(name, kind.values)
            if meant is not None:
                help, fix = (f"did you mean `{meant}`?",), respell(given.span, name, meant)
        case kind_name, Settings(called=False) if kind_name in PATHS:
            help = (f'write `"{given.span.text}"`',)
            fix = rewrite(given.span, f'"{given.span.text}"')
        case "list", Settings(called=False) if kind.element and kind.element.name in PATHS:
            help = (f'write `["{given.span.text}"]`',)
        case "list", value if not isinstance(value, Range):
            help = (f"write `[{given.span.text}]`",)
            fix = rewrite(given.span, f"[{given.span.text}]")
        case _:
            pass
    return Diagnostic(
        code="E0303",
        message=f"{owned(p, owner)} must be {wanted(kind)}",
        labels=(primary(given.span, f"{quoted(given.span)} is {describe(given)}"),),
        help=help,
        fix=fix,
    )


def not_optional(p: Param, owner: Declaration, given: Given) -> Diagnostic:
    return Diagnostic(
        code="E0303",
        message=f"{owned(p, owner)} cannot be none",
        labels=(primary(given.span, f"must be {wanted(p.kind)}"),),
        help=purpose(p, owner),
    )


def out_of_range(p: Param, owner: Declaration, given: Given, value: float) -> Diagnostic:
    most = "" if p.max is None else str(p.max) if isinstance(p.max, int) else f"{p.max:g}"
    if p.above is not None and value <= p.above:
        bounds = f"be above {p.above:g}"
    elif p.min is not None and p.max is not None and p.max != LARGEST:
        bounds = f"lie between {p.min:g} and {most}"
    elif p.min is not None and value < p.min:
        bounds = f"be at least {p.min:g}"
    else:
        bounds = f"be at most {most}"
    return Diagnostic(
        code="E0305",
        message=f"{owned(p, owner)} must {bounds}",
        labels=(primary(given.span, f"{quoted(given.span)} is out of range"),),
        help=purpose(p, owner),
    )


def not_odd(p: Param, owner: Declaration, place: Span, value: int) -> Diagnostic:
    near = [n for n in (value - 1, value + 1) if n > 0]
    return Diagnostic(
        code="E0305",
        message=f"{owned(p, owner)} must be odd",
        labels=(primary(place, f"{value} is even"),),
        help=(f"nearby choices: {', '.join(map(str, near))}",),
    )


def excluded(one: Param, other: Param, owner: Declaration, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        code="E0307",
        message=f"`{one.name}` and `{other.name}` of {owner.name} exclude each other",
        labels=(
            primary(first, f"`{one.name}` is given"),
            Label(span=second, text=f"and so is `{other.name}`"),
        ),
        help=("keep one of the two",),
    )


def needs_other(p: Param, other: Param, owner: Declaration, span: Span) -> Diagnostic:
    return Diagnostic(
        code="E0505",
        message=f"{owned(p, owner)} needs `{other.name}`",
        labels=(primary(span, f"`{other.name}` is not given"),),
        help=(f"add `{other.name}=...`: {other.doc}" if other.doc else f"add `{other.name}=...`",),
    )


def missing_file(found: str, kind: str, span: Span) -> Diagnostic:
    """`found` is where the path leads. A fact about the machine and not about the text, so it is
    told on one line."""
    shown = min(found, os.path.relpath(found), key=len)
    return Diagnostic(
        code="W104",
        severity="warning",
        brief=True,
        message=f"there is no {kind} `{shown}`; the check goes on without it",
        labels=(primary(span, "not there"),),
        help=("paths are relative to the folder of the file that states them",),
    )
