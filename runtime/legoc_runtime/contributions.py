"""The parts of one score, asked of a model: its clicks, and what the candidate says.

Letters: S clicks, T tokens, M subsets of either, D width.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from legoc_runtime.errors import RequestError
from legoc_runtime.explaining import (
    TOLERANCE,
    Explanation,
    Method,
    Parts,
    Token,
    explain,
    explain_product,
)
from legoc_runtime.graphs import F32, Array
from legoc_runtime.ids import as_id
from legoc_runtime.ragged import Ragged
from legoc_runtime.table import candidate_rows, clicked_rows
from legoc_runtime.tokens import Reader, Record
from legoc_runtime.users import User, verify_user


if TYPE_CHECKING:
    from legoc_runtime.model import Model

# [P] scores of a user and the vectors [P, D] of candidates.
Score = Callable[[F32, F32], F32]
AT_ONCE = 64


def explain_score(model: "Model", user: object, item: object, when: object) -> Explanation:
    """What `Model.explain` gives."""
    verify_user(user, model.width)
    user = cast(User, user)
    table = model.items.table
    tokens: tuple[Token, ...] = ()
    method: Method | None = None
    if isinstance(item, Mapping):
        record = cast(Record, item)
        said = Said(model, record)
        vector = said.encode([list(range(len(said.tokens)))])[0]
        name = record.get("id")
        known = "" if name in (None, "") else as_id(name, "the `id` of the record")
        row = table.places.get(known)
    else:
        row = int(candidate_rows(table, [as_id(item, "the item")])[0])
        vector, said = table.vectors[np.array([row])][0], None
    context = table.context(np.array([row]), model.items.moment(when)) if row else None
    popular = model.cold.scores(user, table, np.array([row]))
    if popular is not None:
        return unexplained(user, float(popular[0]))

    def score(made: F32, vectors: F32) -> F32:
        repeated = None if context is None else np.repeat(context, len(vectors), axis=0)
        return model.scorer.one(made, vectors, repeated)

    found = model.bundle.parts.calibration
    scale = 1.0 if found is None else 1.0 / found.temperature
    if said is not None:
        heard = said
        parts = (
            explain_product(
                len(heard.tokens), heard.encode, user.vectors,
                lambda subsets: score(user.vectors, heard.encode(subsets)), scale,
            )
            if model.scorer.inner_product
            else explain(
                len(heard.tokens), lambda subsets: score(user.vectors, heard.encode(subsets))
            )
        )  # fmt: skip
        tokens = heard.told(parts.contributions)
        method = parts.method
    whole = float(score(user.vectors, vector[None])[0])
    if user.cold is not None:
        return unexplained(user, whole, tokens, method)
    clicks = explain_clicks(model, user, vector, scale, score)
    return Explanation(
        score=whole,
        clicks=tuple(zip(user.clicks, map(float, clicks.contributions), strict=True)),
        click_method=clicks.method, rest=clicks.rest, tokens=tokens, token_method=method,
    )  # fmt: skip


def unexplained(
    user: User, score: float, tokens: tuple[Token, ...] = (), method: Method | None = None
) -> Explanation:
    """The score of a user of whom nothing is known: none of it comes of clicks."""
    return Explanation(
        score=score, clicks=(), click_method="leave-one-out", rest=score, tokens=tokens,
        token_method=method, cold=user.cold,
    )  # fmt: skip


def explain_clicks(model: "Model", user: User, vector: F32, scale: float, score: Score) -> Parts:
    """The parts that the clicks of a user have in the score of a vector [D]."""
    table = model.items.table
    rows = clicked_rows(table, user)

    def users(subsets: Sequence[Sequence[int]]) -> list[F32]:
        chosen = [rows[np.array(subset, dtype=np.int32)] for subset in subsets]
        numbers = np.full(len(chosen), user.row, dtype=np.int32)
        return model.encode_rows(table, chosen, numbers, [user.values] * len(chosen))

    def scores(subsets: Sequence[Sequence[int]]) -> F32:
        return np.array([score(made, vector[None])[0] for made in users(subsets)], np.float32)

    own = table.vectors[rows]
    # What else a user is made of, such as a vector of his own, belongs to none of his clicks.
    alone = users([[place] for place in range(len(rows))])
    if model.scorer.inner_product and close(alone, own):
        return explain_product(
            len(rows), lambda subsets: np.stack(users(subsets)), vector, scores, scale
        )
    return explain(len(rows), scores)


def close(alone: Sequence[F32], own: F32) -> bool:
    """Whether the vectors of users of one click are those of the items, but for rounding."""
    if not len(alone):
        return False
    made = np.stack(alone)
    largest = max(1.0, float(np.abs(own).max()))
    return made.shape == own.shape and bool(np.abs(made - own).max() <= TOLERANCE * largest)


class Said:
    """What a record says, as the tokens [T] that the item encoder reads."""

    def __init__(self, model: "Model", record: Record) -> None:
        reader = model.items.reader
        if reader is None or not model.graphs.encodes_items:
            raise RequestError(
                "the items of this model are rows of a table", "give the id of one of them"
            )
        if not any(name in record for name in reader.attributes):
            known = ", ".join(f"`{name}`" for name in reader.attributes)
            raise RequestError(
                "the record has none of the attributes the model reads",
                f"give at least one of {known}",
            )
        self.reader: Reader = reader
        self.graphs = model.graphs
        self.ids = [[int(one) for one in ids.values] for ids in reader.read_parts([record])]
        self.texts = [
            part.spell(record, ids) for part, ids in zip(reader.read_by, self.ids, strict=True)
        ]
        # The attribute and the place in it of each token.
        self.tokens = [
            (part, place) for part, ids in enumerate(self.ids) for place in range(len(ids))
        ]

    def encode(self, subsets: Sequence[Sequence[int]]) -> F32:
        """[M, D] of the item that says these tokens alone."""
        made = [self.encode_some(subsets[start : start + AT_ONCE])
                for start in range(0, len(subsets), AT_ONCE)]  # fmt: skip
        return np.concatenate(made)

    def encode_some(self, subsets: Sequence[Sequence[int]]) -> F32:
        read: list[Ragged] = []
        for part, ids in enumerate(self.ids):
            chosen = [[self.tokens[one] for one in subset] for subset in subsets]
            read.append(
                Ragged.of([[ids[place] for of, place in some if of == part] for some in chosen])
            )
        inputs: dict[str, Array] = {}
        for name, (ids, lengths) in self.reader.arrange(read, len(subsets)).items():
            inputs[name] = ids
            inputs[f"{name}_mask"] = np.arange(ids.shape[1]) < lengths[:, None]
        return self.graphs.encode_items(inputs)

    def told(self, contributions: F32) -> tuple[Token, ...]:
        """The tokens with what each contributes."""
        names = [part.name for part in self.reader.read_by]
        return tuple(
            Token(attribute=names[part], text=self.texts[part][place], contribution=float(value))
            for (part, place), value in zip(self.tokens, contributions, strict=True)
        )
