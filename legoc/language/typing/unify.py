"""First-order unification of types, as the checker walks a pipeline from left to right."""

from collections.abc import Mapping
from typing import TypeAlias

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
)


Solution: TypeAlias = "int | str | Type"  # a width, the variable a width equals, or a type
Solved: TypeAlias = Mapping[str, Solution]


def substitute(pattern: Type, solved: Solved) -> Type:
    """The pattern with what is solved put in for its variables."""

    def dimension(name: int | str) -> int | str:
        found = solved.get(name, name) if isinstance(name, str) else name
        return found if isinstance(found, int | str) else name

    match pattern:
        case Variable(name):
            found = solved.get(name, pattern)
            return pattern if isinstance(found, int | str) else found
        case Vec(width):
            return Vec(dimension(width))
        case Seq(element):
            return Seq(substitute(element, solved))
        case Many(count, element):
            return Many(dimension(count), substitute(element, solved))
        case Tuple(parts):
            return Tuple(tuple(substitute(part, solved) for part in parts))
        case _:
            return pattern


def unify(one: Type, other: Type, solved: Solved) -> dict[str, Solution] | None:
    """First-order unification: `solved` extended so that both sides become one type, or None.

    Variables may stand on either side; a name is the same variable on both.
    """
    one, other = substitute(one, solved), substitute(other, solved)
    if one == other:
        return dict(solved)
    match one, other:
        case (Variable(name), given) | (given, Variable(name)):
            return None if name in variables(given) else bind(name, given, solved)
        case Vec(a), Vec(b):
            return unify_dimension(a, b, solved)
        case Seq(a), Seq(b):
            return unify(a, b, solved)
        case Many(n, a), Many(m, b):
            counted = unify_dimension(n, m, solved)
            return None if counted is None else unify(a, b, counted)
        case Tuple(a), Tuple(b) if len(a) == len(b):
            found: dict[str, Solution] | None = dict(solved)
            for left, right in zip(a, b, strict=True):
                found = unify(left, right, found) if found is not None else None
            return found
        case _:
            return None


def unify_dimension(a: int | str, b: int | str, solved: Solved) -> dict[str, Solution] | None:
    if a == b:
        return dict(solved)
    if isinstance(a, str):
        return bind(a, b, solved)
    return bind(b, a, solved) if isinstance(b, str) else None


def bind(name: str, value: Solution, solved: Solved) -> dict[str, Solution]:
    """`solved` with one more solution, put into those it already holds."""
    one: Solved = {name: value}

    def update(found: Solution) -> Solution:
        if isinstance(found, str):
            return value if found == name else found
        return found if isinstance(found, int) else substitute(found, one)

    return {key: update(found) for key, found in solved.items()} | {name: value}


def variables(pattern: Type) -> frozenset[str]:
    """The names a type leaves open."""
    match pattern:
        case Variable(name):
            return frozenset({name})
        case Vec(width):
            return frozenset({width} if isinstance(width, str) else ())
        case Seq(element):
            return variables(element)
        case Many(count, element):
            return variables(element) | ({count} if isinstance(count, str) else frozenset())
        case Tuple(parts):
            return frozenset().union(*(variables(part) for part in parts))
        case _:
            return frozenset()


def fits(pattern: Type, given: Type) -> bool:
    """Whether two types have one form, whatever their dimensions."""
    match pattern, given:
        case (Variable(), _) | (_, Variable()):
            return True
        case (
            (Vec(), Vec())
            | (Id(), Id())
            | (Tokens(), Tokens())
            | (Score(), Score())
            | (Prefix(), Prefix())
        ):
            return True
        case (Seq(a), Seq(b)) | (Many(_, a), Many(_, b)):
            return fits(a, b)
        case Tuple(a), Tuple(b):
            return len(a) == len(b) and all(map(fits, a, b))
        case _:
            return False
