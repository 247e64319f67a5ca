"""Types on the arrows: first-order unification, walked left to right through the stages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Rule
from legoc.language.declaring.kinds import Role
from legoc.language.declaring.types import (
    Prefix,
    Seq,
    Tokens,
    Tuple,
    Type,
    Vec,
    parse_signature,
)
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.asking_forms import why_whole
from legoc.language.ir.checkpoints import own_width
from legoc.language.ir.spec import Call, Types
from legoc.language.typing import wording_models, wording_types
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.unify import Solution, fits, substitute, unify, variables


# The width where `hidden` is written nowhere.
DEFAULT_WIDTH = 64


@dataclass(frozen=True, eq=False, kw_only=True)
class Typed:
    """A stage with its types. `call` is None where an argument was refused, `made` where the type
    cannot be known; `width` is the place that decided the width of `made`, if one is written."""

    role: Role
    arguments: Arguments
    call: Call | None
    made: Type | None
    width: Span | None
    problems: tuple[Diagnostic, ...]

    @property
    def name(self) -> tuple[str, str, Span]:
        return self.role, self.arguments.declaration.name, self.arguments.span


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """A typed pipeline. `calls` is None where something was refused; `alone`: it is one predictor
    that is counted, whose types follow from the data."""

    stages: tuple[Typed, ...]
    predictor: Arguments | None
    calls: Mapping[Role, Call] | None
    types: Types | None
    origin: Mapping[str, Span]
    problems: tuple[Diagnostic, ...]
    alone: bool = False


def infer_encoder(
    role: Role, arguments: Arguments, before: Typed | None, catalog: Catalog
) -> Typed:
    """The type of a content, behavior or flatten stage; a behavior reads what `before` makes."""
    signature = parse_signature(arguments.declaration.signature or "")
    blank = Typed(
        role=role, arguments=arguments, call=None, made=None, width=None,
        problems=arguments.problems,
    )  # fmt: skip
    solved: dict[str, Solution] | None = {}
    if role == "behavior":
        if before is None or before.made is None:
            return blank
        clicks = Seq(before.made)
        wants = signature.input.parts[0] if isinstance(signature.input, Tuple) else signature.input
        solved = unify(wants, clicks, {})
        if solved is None:
            message = wording_types.cannot_read(
                "E0401", blank.name, before.name, wants, clicks, help_behavior(clicks, catalog)
            )
            return replace(blank, problems=(*arguments.problems, message))
    return complete(blank, signature.output, solved, before)


def help_behavior(clicks: Seq, catalog: Catalog) -> tuple[str, ...]:
    able: list[str] = []
    for declaration in catalog.role("behavior"):
        given = parse_signature(declaration.signature or "").input
        wants = given.parts[0] if isinstance(given, Tuple) else given
        if unify(wants, clicks, {}) is not None:
            able.append(declaration.name)
    return (f"behavior operators that read {clicks}: {', '.join(able) or 'none'}",)


def complete(
    blank: Typed, output: Type, solved: dict[str, Solution], before: Typed | None
) -> Typed:
    """Fill inherited parameters, check the rules against widths, and give the output its type."""
    arguments = blank.arguments
    values = with_widths(arguments, solved)
    width = origin_of(output, arguments, before)
    for name in variables(output) - solved.keys():
        found = values.get(name)
        if found is None:
            found = tabulated(arguments, name)
        if isinstance(found, int):
            solved[name] = found
    made = substitute(output, solved)
    problems = [*arguments.problems, *check_widths(arguments, values, solved, before)]
    return replace(
        blank,
        call=None if arguments.broken else Call(op=arguments.declaration.name, args=values),
        made=None if variables(made) else made,
        width=width,
        problems=tuple(problems),
    )


def with_widths(arguments: Arguments, solved: Mapping[str, Solution]) -> dict[str, Any]:
    """Every sound argument in the declared order, inherited ones solved."""
    values: dict[str, Any] = {}
    for p in arguments.declaration.params:
        if p.name in arguments.values:
            values[p.name] = arguments.values[p.name]
        elif p.inherit is not None and p.name not in arguments.broken:
            values[p.name] = solved.get(p.inherit, DEFAULT_WIDTH)
    return values


def tabulated(arguments: Arguments, name: str) -> int | None:
    """A width that a parameter's value decides, from the declaration's table
    `facts["widths"] = {"w": {"size": {"small": 384}}}`; or that of a language model's own states,
    `facts["own_width"] = "w"`."""
    if arguments.declaration.facts.get("own_width") == name:
        return own_width(arguments.values)
    table = arguments.declaration.facts.get("widths", {}).get(name, {})
    for param, widths in table.items():
        return widths.get(arguments.values.get(param))
    return None


def origin_of(output: Type, arguments: Arguments, before: Typed | None) -> Span | None:
    """Where the width on the arrow is written: here, or where it was inherited from."""
    if (
        isinstance(output, Vec)
        and isinstance(output.width, str)
        and output.width in arguments.spans
    ):
        return arguments.spans[output.width]
    return before.width if before is not None else None


def check_widths(
    arguments: Arguments,
    values: Mapping[str, Any],
    solved: Mapping[str, Solution],
    before: Typed | None,
) -> list[Diagnostic]:
    """Rules of the kind `Divides`, now that widths are known."""
    found: list[Diagnostic] = []
    for rule in arguments.declaration.rules:
        if rule.rule != "divides":
            continue
        message = check_divides(rule, arguments, values, solved, before)
        if message is not None:
            found.append(message)
    return found


def check_divides(
    rule: Rule,
    arguments: Arguments,
    values: Mapping[str, Any],
    solved: Mapping[str, Solution],
    before: Typed | None,
) -> Diagnostic | None:
    name, other, *empty = rule.args
    value, total = values.get(name), values.get(other, solved.get(other))
    if isinstance(total, tuple) and total:
        # Of a list of widths it is the last that is cut into parts.
        total = total[-1]
    elif total == () and empty:
        widths = [solved.get(width) for width in empty]
        total = sum(width for width in widths if isinstance(width, int))
    if not isinstance(value, int) or not isinstance(total, int) or total % value == 0:
        return None
    own = arguments.declaration.param(other)
    if own is not None and other in arguments.spans:
        origin = arguments.spans[other]
    else:
        origin = before.width if before is not None and (own is None or own.inherit) else None
    return wording_types.does_not_divide(
        arguments.declaration,
        name,
        value,
        total,
        place=arguments.place(name),
        written=name in arguments.spans,
        other=None if own is None else other,
        origin=origin,
    )


def read_by(
    predictor: Arguments, item: Typed, user: Typed
) -> tuple[Typed, Typed, tuple[Diagnostic, ...]]:
    """The stages as the predictor reads them. What a language model makes of a history is a prefix
    for a predictor of one, and then an item is its tokens; the texts themselves where it cannot go
    on from what it has read; else a vector, whose width is known."""
    facts = user.arguments.declaration.facts
    wants = parse_signature(predictor.declaration.signature or "").input
    first = wants.parts[0] if isinstance(wants, Tuple) else wants
    if not facts.get("prefix"):
        return item, user, ()
    if item.role != user.role:
        operators = [f"{role} {name}" for role, name, _ in (user.name, item.name)]
        problem = wording_models.follows_content(
            operators[0], user.name[2], operators[1], item.name[2]
        )
        return item, replace(user, made=None), (problem,)
    if isinstance(first, Prefix):
        whole = why_whole(user.arguments.values) is not None
        user = replace(user, made=Seq(Tokens()) if whole else Prefix(), width=None)
        return replace(user, made=Tokens()), user, ()
    if user.made is None and not user.arguments.broken:
        return item, user, (wording_types.unknown_width(user.name),)
    return item, user, ()


def infer_pair(
    arguments: Arguments, item: Typed, user: Typed, catalog: Catalog
) -> tuple[Call | None, tuple[Diagnostic, ...]]:
    """The predictor over (user, item): forms first (E0403), then widths (E0404), then its rules."""
    if item.made is None or user.made is None:
        return None, arguments.problems
    signature = arguments.declaration.signature or ""
    if user.made == Seq(Tokens()) and user.arguments.declaration.facts.get("prefix"):
        signature = arguments.declaration.facts.get("whole", signature)
    wants = parse_signature(signature).input
    if not isinstance(wants, Tuple) or len(wants.parts) != 2:
        raise ValueError(f"predict {arguments.declaration.name} must read a pair")
    predictor = ("predict", arguments.declaration.name, arguments.span)
    for part, typed in zip(wants.parts, (user, item), strict=True):
        if typed.made is not None and not fits(part, typed.made):
            help = wording_types.which_fit(
                user.made, wants.parts[0], item.made, catalog, behaviors=user.role == "behavior"
            )
            message = wording_types.cannot_read(
                "E0403", predictor, typed.name, part, typed.made, (help,)
            )
            return None, (*arguments.problems, message)
    solved = unify(wants, Tuple((user.made, item.made)), {})
    if solved is None:
        places = [typed.width for typed in (item, user) if typed.width is not None]
        message = wording_types.unequal_widths(
            predictor[1:], item.made, user.made, places, user.role, catalog
        )
        return None, (*arguments.problems, message)
    values = with_widths(arguments, solved)
    problems = (*arguments.problems, *check_widths(arguments, values, solved, item))
    call = Call(op=arguments.declaration.name, args=values)
    return (None if arguments.broken else call), problems
