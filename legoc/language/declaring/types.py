"""The types on the arrows: `Id Tokens Vec[d] Seq[T] Many[k, T] Prefix Score`, and signatures.

A dimension is an integer or the name of a variable; `str` of every type gives back its notation.
"""

import re
from collections.abc import Iterator
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
class Prefix:
    """What a causal language model keeps of a text it has read: keys and values of every block."""

    def __str__(self) -> str:
        return "Prefix"


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


Type: TypeAlias = Id | Tokens | Score | Prefix | Variable | Vec | Seq | Many | Tuple


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
            case "Prefix":
                return Prefix()
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
