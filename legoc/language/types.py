"""The types on the arrows: `Id Tokens Vec[d] Seq[T] Many[k, T] Score`, signatures, unification.

A dimension is an integer or the name of a variable; `str` of every type gives back its notation.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias


@dataclass(frozen=True)
class Id:
    """The place of an item or a user in its table."""

    def __str__(self) -> str:
        return "Id"


@dataclass(frozen=True)
class Tokens:
    """What an item says: tokens with attribute boundaries and a mask."""

    def __str__(self) -> str:
        return "Tokens"


@dataclass(frozen=True)
class Score:
    """One number per pair of user and candidate."""

    def __str__(self) -> str:
        return "Score"


@dataclass(frozen=True)
class Variable:
    """Any type, the same wherever the name stands."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Vec:
    """A vector of `width` numbers."""

    width: int | str

    def __str__(self) -> str:
        return f"Vec[{self.width}]"


@dataclass(frozen=True)
class Seq:
    """One element per click, with the click mask."""

    element: "Type"

    def __str__(self) -> str:
        return f"Seq[{self.element}]"


@dataclass(frozen=True)
class Many:
    """A fixed number of elements per user."""

    count: int | str
    element: "Type"

    def __str__(self) -> str:
        return f"Many[{self.count}, {self.element}]"


@dataclass(frozen=True)
class Tuple:
    """Several inputs of one operator, in order."""

    parts: tuple["Type", ...]

    def __str__(self) -> str:
        return f"({', '.join(str(part) for part in self.parts)})"


Type: TypeAlias = Id | Tokens | Score | Variable | Vec | Seq | Many | Tuple
Solution: TypeAlias = "int | str | Type"  # a width, the variable a width equals, or a type
Solved: TypeAlias = Mapping[str, Solution]


@dataclass(frozen=True)
class Signature:
    """What an operator reads and makes."""

    input: Type
    output: Type

    def __str__(self) -> str:
        return f"{self.input} -> {self.output}"


TOKEN = re.compile(r"\s*(->|[A-Za-z_][A-Za-z0-9_]*|\d+|[\[\](),])")


class Reader:
    """A recursive descent over the notation of types."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self.split(text))
        self.at = 0

    @staticmethod
    def split(text: str) -> Iterator[str]:
        position = 0
        while text[position:].strip():
            found = TOKEN.match(text, position)
            if found is None:
                raise ValueError(f"{text!r}: not the notation of a type")
            yield found[1]
            position = found.end()

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else "the end"
        if wanted is not None and token != wanted:
            raise ValueError(f"{self.text!r}: {token!r} where {wanted!r} belongs")
        self.at += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def end(self) -> None:
        if self.peek():
            raise ValueError(f"{self.text!r}: {self.peek()!r} after the end")

    def dimension(self) -> int | str:
        token = self.take()
        if token.isdigit():
            return int(token)
        if token[0].isalpha() and token[0].islower():
            return token
        raise ValueError(f"{self.text!r}: {token!r} where a dimension belongs")

    def type(self) -> Type:
        token = self.take()
        match token:
            case "Id":
                return Id()
            case "Tokens":
                return Tokens()
            case "Score":
                return Score()
            case "Vec":
                self.take("[")
                width = self.dimension()
                self.take("]")
                return Vec(width)
            case "Seq":
                self.take("[")
                element = self.type()
                self.take("]")
                return Seq(element)
            case "Many":
                self.take("[")
                count = self.dimension()
                self.take(",")
                element = self.type()
                self.take("]")
                return Many(count, element)
            case "(":
                parts = [self.type()]
                while self.peek() == ",":
                    self.take()
                    parts.append(self.type())
                self.take(")")
                return Tuple(tuple(parts))
            case _ if len(token) == 1 and token.isupper():
                return Variable(token)
            case _:
                raise ValueError(f"{self.text!r}: {token!r} where a type belongs")


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    """The type a text denotes; ValueError says where the notation ends to be one."""
    reader = Reader(text)
    found = reader.type()
    reader.end()
    return found


@lru_cache(maxsize=1024)
def parse_signature(text: str) -> Signature:
    """The signature a text denotes: `INPUT -> OUTPUT`."""
    reader = Reader(text)
    given = reader.type()
    reader.take("->")
    made = reader.type()
    reader.end()
    return Signature(given, made)


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
