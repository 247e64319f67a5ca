"""What is said about units: one that does not belong, or one that is missing."""

from legoc.language.declaring.kinds import Kind, Param
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.wording_operators import primary, rewrite
from legoc.language.typing.wording_params import UNIT_OF, UNITS, quoted, wanted


def wrong_unit(p: Param, kind: Kind, given: Given) -> Diagnostic:
    """A unit of another kind, a unit where none belongs, or a number that lacks one."""
    text = quoted(given.span)
    fix: Fix | None = None
    if isinstance(given.value, Measure):
        unit = UNIT_OF[given.value.unit]
        message = f"`{p.name}` is not measured in {unit}"
        label = f"{text} is {UNITS[unit][0]}"
    else:
        message, label = f"`{p.name}` needs a unit", f"{text} has no unit"
    if kind.unit is not None:
        noun, example, endings = UNITS[kind.unit]
        help = f"{noun} ends in {endings}, as in `{p.name}={example}`"
    else:
        help = f"`{p.name}` is {wanted(kind)} without a unit"
        plain = without_unit(kind, given.value)
        if plain is not None:
            help = f"{help}: `{plain}`"
            fix = rewrite(given.span, plain)
    return Diagnostic(
        code="E0306", message=message, labels=(primary(given.span, label),), help=(help,), fix=fix
    )


def without_unit(kind: Kind, value: object) -> str | None:
    """A share or a count as the plain number it is."""
    if not isinstance(value, Measure):
        return None
    number = value.number
    match kind.name, value.unit:
        case "float", "%":
            return f"{number / 100:g}"
        case (("int" | "float"), ("k" | "M")):
            plain = number * {"k": 1000, "M": 1_000_000}[value.unit]
            return str(round(plain)) if plain == round(plain) else None
        case _:
            return None
