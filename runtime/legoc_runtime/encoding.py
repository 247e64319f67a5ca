"""Users from what they clicked, who they are and what is known of them.

Letters: U users, D width, C vectors of a user, S clicks.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from legoc_runtime.chunks import by_length, stack_padded
from legoc_runtime.cold import ColdUsers
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, I32, Graphs, at_least_one
from legoc_runtime.ids import Id, as_id, as_ids, as_list
from legoc_runtime.prefixed import read_prefixes
from legoc_runtime.profiles import Told, Values, refuse_profile
from legoc_runtime.prompting import gather_texts, texts_at_once
from legoc_runtime.table import Table
from legoc_runtime.users import EACH, User


class Encoder:
    """Encodes users. rows: of the user table by ids, for models that read users. Safe to share
    between threads."""

    def __init__(self, graphs: Graphs, cold: ColdUsers, rows: Mapping[str, int]) -> None:
        self.graphs = graphs
        self.cold = cold
        self.rows = rows

    def users(
        self, table: Table, histories: Iterable[Iterable[Id]], users: Iterable[Id | None] | None,
        profiles: Iterable[object] | None,
    ) -> list[User]:  # fmt: skip
        """What `Model.encode_users` gives."""
        given = [as_ids(ids, "the clicks") for ids in as_list(histories, "the histories", EACH)]
        named = one_each(users, "users", len(given))
        names = ["" if name is None else as_id(name, "the user") for name in named]
        numbers = np.array([self.rows.get(name, 0) for name in names], dtype=np.int32)
        told = [
            None if record is None else self.tell(record, int(row))
            for record, row in zip(one_each(profiles, "profiles", len(given)), numbers, strict=True)
        ]
        history = self.graphs.parts.history
        found = [[(name, table.places.get(name, 0)) for name in ids] for ids in given]
        kept = [[(name, row) for name, row in pairs if row][-history:] for pairs in found]
        rows = [np.array([row for _, row in pairs], dtype=np.int32) for pairs in kept]
        # Who clicked nothing the bundle knows, and is nobody it knows anything of.
        cold = [
            not len(rows[place]) and not numbers[place] and (own is None or not own.something)
            for place, own in enumerate(told)
        ]
        values = [None if own is None else own.values for own in told]
        vectors = self.encode_rows(table, rows, numbers, values)
        return [
            User(
                vectors=self.cold.encode(vectors[place]) if cold[place] else vectors[place],
                clicks=tuple(name for name, _ in kept[place]),
                unknown=tuple(name for name, row in found[place] if not row),
                known=bool(numbers[place]),
                row=int(numbers[place]),
                cold=self.cold.answer if cold[place] else None,
                values=values[place],
                ignored=() if own is None else own.ignored,
                unseen={} if own is None else own.unseen,
            )
            for place, own in enumerate(told)
        ]

    def tell(self, record: object, row: int) -> Told:
        """What a profile says of a user who has a row, or 0. RequestError where none is read."""
        profiles = self.graphs.profiles
        if profiles is None:
            raise refuse_profile(self.graphs.parts.raw["spec"])
        return profiles.read(record, profiles.known(row))

    def encode_rows(
        self, table: Table, rows: Sequence[I32], users: I32,
        values: Sequence[Values | None] | None = None,
    ) -> list[F32]:  # fmt: skip
        """The vectors of users given by the rows of their clicks, by their own rows [U], and by
        what else is known of them, None for what the bundle knows."""
        items = table.vectors
        if self.graphs.parts.plan.keeps_clicks:
            return [items[clicks] for clicks in rows]
        if self.graphs.parts.plan.user == "prefix":
            return read_prefixes(self.graphs, table, rows, users)
        vectors: list[F32] = [items[:0]] * len(rows)
        lengths = np.array([len(clicks) for clicks in rows], dtype=np.int32)
        for block in by_length(lengths):
            padded = stack_padded([rows[place][None] for place in block])
            own = None if values is None else [values[place] for place in block]
            encoded = self.encode_block(table, padded, users[block], own)
            for place, vector in zip(block, encoded, strict=True):
                vectors[place] = vector
        return vectors

    def encode_block(
        self, table: Table, clicks: I32, users: I32, values: Sequence[Values | None] | None
    ) -> F32:
        """[U, D] or [U, C, D] of click rows [U, S], rows of users [U] and what is known of them."""
        profiles, profile = self.graphs.profiles, None
        if profiles is not None and values is not None and any(v is not None for v in values):
            pairs = zip(values, users, strict=True)
            profile = profiles.by_values(
                [profiles.known(int(row)) if own is None else own for own, row in pairs]
            )
        if table.tokens is None:
            return self.graphs.encode_users(table.vectors[clicks], clicks > 0, users, profile)
        clicks, prompt = at_least_one(clicks), self.graphs.parts.prompt
        parts = [
            self.graphs.read_users(
                gather_texts(prompt, table.tokens, clicks[part]), users[part],
                None if profile is None else {name: given[part] for name, given in profile.items()},
            )
            for part in texts_at_once(prompt, table.tokens, clicks)
        ]  # fmt: skip
        return np.concatenate(parts)


def one_each(given: Iterable[object] | None, what: str, count: int) -> list[object]:
    """One entry per history; None for each where nothing is given. RequestError for another
    number."""
    if given is None:
        return [None] * count
    found = as_list(given, f"the {what}", EACH)
    if len(found) != count:
        raise RequestError(
            f"{count} histories and {len(found)} {what}", f"give one {what[:-1]} per history"
        )
    return found
