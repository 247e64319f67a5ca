"""What is said about types on the arrows, widths and tasks: one function per message."""

from collections.abc import Sequence

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import STAGES, Role
from legoc.language.declaring.types import (
    Id,
    Many,
    Prefix,
    Score,
    Seq,
    Tokens,
    Tuple,
    Type,
    Variable,
    Vec,
    parse_signature,
)
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing
from legoc.language.ir.counted import stands_alone as is_apart
from legoc.language.resolving.points import Point
from legoc.language.resolving.wording_operators import primary
from legoc.language.typing.unify import fits, unify, variables


SHAPES = ("content -> behavior -> predict", "flatten -> predict", "content -> flatten -> predict")


def meaning(found: Type) -> str:
    """What a type on the arrow to the predictor is, in words."""
    match found:
        case Vec():
            return "one user vector"
        case Many():
            return "many vectors per user"
        case Seq(Tokens()):
            return "the tokens of the clicks"
        case Seq(Variable()):
            return "anything per click"
        case Seq():
            return "the clicks themselves"
        case Tokens():
            return "the tokens of an item"
        case Id():
            return "a place in a table"
        case Score():
            return "a score"
        case Prefix():
            return "what a language model keeps of the clicks"
        case _:
            return "anything"


def per_click(found: Type) -> str:
    """What a type on the arrow to a behavior is, in words."""
    inner = found.element if isinstance(found, Seq) else found
    return "a vector per click" if isinstance(inner, Vec) else meaning(found)


def reads(found: Type) -> str:
    """How a predictor that reads this type is described in a list."""
    match found:
        case Vec():
            return "one vector"
        case Many():
            return "many vectors"
        case Seq():
            return "the clicks themselves"
        case Prefix():
            return "what a language model keeps of the clicks"
        case _:
            return str(found)


def wrong_shape(name: str, stages: Sequence[tuple[Role, Span]], span: Span) -> Diagnostic:
    roles = [role for role, _ in stages]
    shapes = [shape.split(" -> ") for shape in SHAPES]
    fitting = next(
        index
        for index in range(len(roles), -1, -1)
        if any(shape[:index] == roles[:index] for shape in shapes)
    )
    wanted = {
        shape[fitting]
        for shape in shapes
        if shape[:fitting] == roles[:fitting] and len(shape) > fitting
    }
    listed = listing([role for role in STAGES if role in wanted], quote="`", joint="or")
    if fitting < len(stages):
        place = stages[fitting][1]
        label = f"{listed} comes here" if wanted else "nothing comes behind `predict`"
    else:
        place = stages[-1][1] if stages else span
        label = f"{listed} is missing behind this"
    return Diagnostic(
        code="E0208",
        message=f"the stages of a pipeline cannot be {' -> '.join(roles) or 'none'}",
        labels=(primary(place, label),),
        help=(f"a pipeline is {listing([f'`{shape}`' for shape in SHAPES], joint='or')}",),
    )


def stands_alone(name: str, place: Span, first: Span, how: str) -> Diagnostic:
    """E0208: stages before a predictor that is counted or asked."""
    return Diagnostic(
        code="E0208",
        message=f"`predict {name}` stands alone: it is {how}, and reads no stage before it",
        labels=(primary(place, how), Label(span=first, text="no stage belongs before it")),
        help=(f"write it as a model of its own, such as `model {how} = predict {name}`",),
    )


def cannot_read(
    code: str,
    reader: tuple[str, str, Span],
    maker: tuple[str, str, Span],
    wants: Type,
    makes: Type,
    help: Sequence[str],
) -> Diagnostic:
    """E0401 and E0403: one stage after another that it does not fit. `reader` and `maker` are role,
    name and place."""
    role, name, place = reader
    other, other_name, other_place = maker
    said = per_click if role == "behavior" else meaning
    return Diagnostic(
        code=code,
        message=f"`{role} {name}` cannot read what `{other} {other_name}` makes",
        labels=(
            primary(place, f"wants {wants}: {said(wants)}"),
            Label(span=other_place, text=f"makes {makes}: {said(makes)}"),
        ),
        help=tuple(help),
    )


def unknown_width(maker: tuple[str, str, Span]) -> Diagnostic:
    role, name, place = maker
    return Diagnostic(
        code="E0405",
        message=f"the width of what `{role} {name}` makes is not known here",
        labels=(primary(place, "its files are not on this machine"),),
        help=("name a folder that holds the model, or write its width: `hidden=...`",),
    )


def which_fit(user: Type, wants: Type, item: Type, catalog: Catalog, *, behaviors: bool) -> str:
    """What to write instead, for a predictor that cannot read its user."""
    choices: list[str] = []
    if isinstance(wants, Prefix):
        return "use a language model that reads the history: `flatten LM(..., prompt=recbench)`"
    if behaviors:
        making = [d.name for d in catalog.role("behavior") if makes_type(d, item, wants)]
        if len(making) == 1:
            choices.append(f"`behavior {making[0]}`")
        elif making:
            choices.append(f"a behavior that makes {reads(wants)} ({', '.join(making)})")
    reading = [d.name for d in catalog.role("predict") if reads_type(d, user, item)]
    if len(reading) == 1:
        choices.append(f"`predict {reading[0]}`, which reads {reads(user)}")
    elif reading:
        choices.append(f"a predictor that reads {reads(user)}: {', '.join(reading)}")
    if not choices:
        return f"nothing declared reads {user} with {item}"
    return "use " + ", or ".join(choices)


def makes_type(declaration: Declaration, item: Type, wants: Type) -> bool:
    """Whether a behavior operator over these items makes what is wanted, whatever its width."""
    signature = parse_signature(declaration.signature or "")
    given = signature.input.parts[0] if isinstance(signature.input, Tuple) else signature.input
    solved = unify(given, Seq(item), {})
    if solved is None:
        return False
    made = signature.output
    if isinstance(made, Seq):
        made = Seq(item)
    return fits(wants, made)


def reads_type(declaration: Declaration, user: Type, item: Type) -> bool:
    signature = parse_signature(declaration.signature or "")
    fitting = unify(signature.input, Tuple((user, item)), {}) is not None
    return fitting and not is_apart(declaration)


def two_widths(declaration: Declaration, user: Type) -> bool:
    """Whether a predictor takes this form of user with an item of another width."""
    given = parse_signature(declaration.signature or "").input
    if not isinstance(given, Tuple) or len(given.parts) != 2 or not fits(given.parts[0], user):
        return False
    return not variables(given.parts[0]) & variables(given.parts[1])


def unequal_widths(
    predictor: tuple[str, Span],
    item: Type,
    user: Type,
    places: Sequence[Span],
    encoder: Role,
    catalog: Catalog,
) -> Diagnostic:
    name, span = predictor
    width = item.width if isinstance(item, Vec) else item
    if encoder == "behavior":
        help = f"drop `hidden` from the behavior stage to inherit {width}"
    else:
        help = f"write `hidden={width}` in the {encoder} stage"
    others = sorted(d.name for d in catalog.role("predict") if two_widths(d, user))
    if others:
        help += f", or use `predict {others[0]}`, which takes two widths"
    return Diagnostic(
        code="E0404",
        message=f"`predict {name}` needs user and item of one width",
        labels=(
            primary(span, f"item is {item}, user is {user}"),
            *(Label(span=place, text="") for place in places),
        ),
        help=(help,),
    )


def does_not_divide(
    declaration: Declaration,
    name: str,
    value: int,
    total: int,
    *,
    place: Span,
    written: bool,
    other: str | None,
    origin: Span | None,
) -> Diagnostic:
    """`other` is the parameter to divide, or None for a width; `origin` where it is written."""
    what = "its width" if other is None or other == "hidden" else f"`{other}`"
    said = f"{value} does not divide {total}" if written else ""
    if not written:
        said = f"`{name}` is {value} unless given, which does not divide {total}"
    near = divisors_near(total, value)
    labels = [primary(place, said)]
    if origin is not None:
        came = f"the width {total} comes from here" if what == "its width" else f"{total} here"
        labels.append(Label(span=origin, text=came))
    return Diagnostic(
        code="E0402",
        message=f"`{name}` of {declaration.name} must divide {what}",
        labels=tuple(labels),
        notes=() if origin is not None else (f"{what.removeprefix('its ')} is {total} here",),
        help=(f"nearby choices that do: {', '.join(map(str, near))}",),
    )


def divisors_near(total: int, value: int) -> list[int]:
    """The divisors of `total` next to `value`, on either side."""
    below = next((n for n in range(min(value - 1, total), 0, -1) if total % n == 0), None)
    above = next((n for n in range(value + 1, total + 1) if total % n == 0), None)
    return [n for n in (below, above) if n is not None]


def untrainable(
    predictor: Declaration, span: Span, task: str, point: Point, place: Span | None
) -> Diagnostic:
    names = listing([f"`{name}`" for name in predictor.tasks])
    recipe = point.train.name if point.train is not None else ""
    run = f"run {point.model.name} on {point.data.name} with {recipe}(task={predictor.tasks[0]})"
    labels = [primary(span, f"supports {names}")]
    if place is not None:
        labels.append(Label(span=place, text="the task is set here"))
    return Diagnostic(
        code="E0501",
        message=f"`predict {predictor.name}` cannot be trained for {task}",
        labels=tuple(labels),
        help=(f"`{run}`" if recipe else f"write `task={predictor.tasks[0]}`",),
    )
