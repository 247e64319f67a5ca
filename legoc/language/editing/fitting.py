"""Which stage may follow, and which operators can read what the stages before it make."""

from collections.abc import Sequence

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.types import Seq, Tuple, Type, parse_signature
from legoc.language.ir.counted import stands_alone
from legoc.language.typing.inference import DEFAULT_WIDTH
from legoc.language.typing.unify import fits, substitute, unify, variables
from legoc.language.typing.wording_types import SHAPES


Stages = Sequence[tuple[str, str]]


def next_roles(stages: Stages) -> frozenset[str]:
    """The roles that continue some shape of a pipeline; empty where the stages begin none."""
    roles = [role for role, _ in stages]
    shapes = [shape.split(" -> ") for shape in (*SHAPES, "predict")]
    return frozenset(
        shape[len(roles)]
        for shape in shapes
        if len(shape) > len(roles) and shape[: len(roles)] == roles
    )


def readers(role: str, stages: Stages, catalog: Catalog) -> frozenset[str]:
    """The operators of a role that can stand behind some stages, by the forms of their types; all
    of them where that cannot be told, as behind a stage that is swept."""
    # Behind other stages nothing that is counted or asked can stand, and alone nothing else.
    everyone = frozenset(
        declaration.name
        for declaration in catalog.role(role)
        if role != "predict" or stands_alone(declaration) == (not stages)
    )
    made = [makes(place, stages, catalog) for place in range(len(stages))]
    if role not in ("behavior", "predict") or not made or None in made:
        return everyone
    item, user = made[0], made[-1]
    assert item is not None
    assert user is not None
    if role == "behavior":
        return frozenset(name for name in everyone if reads(name, Seq(item), catalog))
    return frozenset(name for name in everyone if scores(name, user, item, catalog))


def reads(name: str, clicks: Type, catalog: Catalog) -> bool:
    wants = input_of("behavior", name, catalog)
    wants = wants.parts[0] if isinstance(wants, Tuple) else wants
    return wants is None or unify(wants, clicks, {}) is not None


def scores(name: str, user: Type, item: Type, catalog: Catalog) -> bool:
    wants = input_of("predict", name, catalog)
    return wants is None or fits(wants, Tuple((user, item)))


def input_of(role: str, name: str, catalog: Catalog) -> Type | None:
    declaration = catalog.get(role, name)
    return parse_signature(declaration.signature or "").input if declaration is not None else None


def makes(place: int, stages: Stages, catalog: Catalog) -> Type | None:
    """The form of what a stage makes, with some width for every open one; None for an operator
    that is not known."""
    role, name = stages[place]
    declaration = catalog.get(role, name)
    if declaration is None:
        return None
    signature = parse_signature(declaration.signature or "")
    solved = {}
    if role == "behavior":
        before = makes(place - 1, stages, catalog) if place else None
        wants = signature.input.parts[0] if isinstance(signature.input, Tuple) else signature.input
        solved = unify(wants, Seq(before), {}) if before is not None else None
        if solved is None:
            return None
    made = substitute(signature.output, solved)
    return substitute(made, dict.fromkeys(variables(made), DEFAULT_WIDTH))
