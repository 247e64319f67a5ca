"""What every model that answers is to its callers: questions in, replies out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from legoc.generating.prompts import Messages


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """How many were read and how many were written."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(read=self.read + other.read, written=self.written + other.written)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a model said. `chances` are the likeliest first tokens with the logarithms of their
    chances, where a server tells them. `cut`: the most tokens were reached. `refused`: why there is
    no answer to this very question, where there is none."""

    text: str
    tokens: Tokens = Tokens()
    chances: tuple[tuple[str, float], ...] = ()
    cut: bool = False
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question about `subject`; `attempt` counts from 1."""

    subject: str
    messages: Messages
    attempt: int = 1
    digest: str = field(default="", compare=False)


class Answering(Protocol):
    """A model that answers."""

    def fits(self, messages: Messages) -> bool:
        """Whether a question and its answer have room, as far as that can be told."""
        ...

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[Question, Reply]]:
        """Each question with its reply, as they come. Raises LegoError where none can be had."""
        ...

    def close(self) -> None: ...
