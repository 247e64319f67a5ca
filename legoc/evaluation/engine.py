"""What the evaluator asks of an engine: torch, onnxruntime, or one without caches."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import ItemInputs
from legoc_runtime.prefixes import Spent


class Engine(Protocol):
    """Row indices go in, scores come out. `Items` and `Users` are the engine's own (numpy arrays,
    or tensors on a GPU), opaque to the evaluator; row 0 of Items is zero.

    reads_user: the user encoder reads the user as well as the clicks, so that one history of two
    users makes two rows of Users.
    """

    name: str
    reads_user: bool

    def encode_items(self, inputs: ItemInputs) -> Any:
        """Every item of the table, once: [N, D]."""
        ...

    def encode_users(self, items: Any, clicks: Iterable[I32], users: Iterable[I32]) -> Any:
        """Every user, once. `clicks` yields blocks [m, S] of rows of Items (0 is padding, S may
        differ from block to block) and `users` the user index [m] of each; the blocks' users are
        numbered on: the first has rows 0 ... m - 1 of the result."""
        ...

    def score(
        self, users: Any, items: Any, owner: I32, candidates: I32, context: F32 | None = None
    ) -> F32:
        """[P] logits of the pairs (row `owner` of Users, row `candidates` of Items); `context` are
        the numbers [P, n] of their moments where the data has any."""
        ...


def by_owner(engine: Any) -> bool:
    """Whether a user of an engine is too large to keep, and so read when its pairs are scored, all
    of which come at once then."""
    return bool(getattr(engine, "by_owner", False))


def prefixes(engine: Any) -> Spent:
    """What an engine has spent so far on users that it reads when their pairs are scored."""
    found = getattr(engine, "prefixes", None)
    return replace(found) if isinstance(found, Spent) else Spent()


def is_stored(engine: Any) -> bool:
    """Whether an engine takes the vectors of items from where they were put, and encodes none."""
    return bool(getattr(engine, "stored", False))


class EncodedOnce:
    """An engine that keeps the items it has encoded, for whoever asks for the same ones again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = engine.name
        self.reads_user = engine.reads_user
        self.by_owner = by_owner(engine)
        self.stored = is_stored(engine)
        self.prefixes = getattr(engine, "prefixes", None)
        self.items: Any = None

    def encode_items(self, inputs: ItemInputs) -> Any:
        if self.items is None:
            self.items = self.engine.encode_items(inputs)
        return self.items

    def encode_users(self, items: Any, clicks: Iterable[I32], users: Iterable[I32]) -> Any:
        return self.engine.encode_users(items, clicks, users)

    def score(
        self, users: Any, items: Any, owner: I32, candidates: I32, context: F32 | None = None
    ) -> F32:
        return self.engine.score(users, items, owner, candidates, context)
