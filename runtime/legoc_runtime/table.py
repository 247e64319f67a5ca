"""The rows of a bundle's tables by their ids: items with their vectors, and users.

Letters: N items with row 0, D width, L tokens.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import ROWS, SHIFT, Blocks, grouped, offsets
from legoc_runtime.bundle import Bundle
from legoc_runtime.columns import Column, read_columns
from legoc_runtime.counters import Counters
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import F32, I32
from legoc_runtime.histories import TokenBlocks, TokenRows
from legoc_runtime.ids import Id, as_id, as_ids
from legoc_runtime.tensors import parse_tensors
from legoc_runtime.users import User


LARGEST = 1 << 31


class Places:
    """The rows of items by their ids, of a table with so many rows: the dictionary is shared with
    the tables that come after it, and what is beyond the end is theirs."""

    def __init__(self, rows: Mapping[str, int], count: int) -> None:
        self.rows = rows
        self.count = count

    def get(self, name: str, default: int = 0) -> int:
        """The row of an item, also of one that was removed."""
        row = self.rows.get(name, 0)
        return row if 0 < row < self.count else default

    def __getitem__(self, name: str) -> int:
        row = self.get(name)
        if not row:
            raise KeyError(name)
        return row


@dataclass(frozen=True, kw_only=True)
class Table:
    """The items at one moment. Nothing a reader sees of it ever changes.

    names: the id of each row, and of rows of later tables; row 0 is the padding item, with the
    empty id. rows: the row of each id. vectors [N, D]. tokens: for user encoders that flatten what
    the items say. hidden: the rows that are never recommended, ascending, block by block, from the
    start of each: padding, what was made up for histories, and what was removed. generated: those
    made up. columns: the attributes that were kept, by name. counters: what is known of the items
    at a moment.
    """

    names: list[str]
    rows: dict[str, int]
    vectors: Blocks
    tokens: TokenBlocks | None = None
    hidden: tuple[NDArray[np.integer], ...]
    generated: range = range(0)
    columns: Mapping[str, Column] = field(default_factory=dict[str, Column])
    counters: Counters | None = None

    @property
    def count(self) -> int:
        """Rows, the padding item included."""
        return self.vectors.count

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each row."""
        return tuple(self.names[: self.count])

    @property
    def places(self) -> Places:
        return Places(self.rows, self.count)

    @property
    def shown(self) -> int:
        """How many items there are: rows that are not hidden."""
        return self.count - sum(map(len, self.hidden))

    def is_hidden(self, row: int) -> bool:
        rows, own = self.hidden[row >> SHIFT], row & ROWS - 1
        place = int(np.searchsorted(rows, own))
        return place < len(rows) and int(rows[place]) == own

    def hidden_among(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of some rows [P] are hidden."""
        found = np.zeros(len(rows), dtype=bool)
        for number, places in grouped(rows):
            found[places] = np.isin(rows[places] & ROWS - 1, self.hidden[number])
        return found

    def removed_among(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of some rows [P] were removed."""
        made_up = (rows >= self.generated.start) & (rows < self.generated.stop)
        return self.hidden_among(rows) & ~made_up

    def place_of(self, row: int) -> int | None:
        """Which of the rows that are not hidden a row is; None for one that is hidden."""
        if self.is_hidden(row):
            return None
        number = row >> SHIFT
        before = sum(map(len, self.hidden[:number]))
        return row - before - int(np.searchsorted(self.hidden[number], row & ROWS - 1))

    def shown_rows(self) -> NDArray[np.int64]:
        """The rows that are not hidden, ascending."""
        real = np.ones(self.count, dtype=bool)
        for number, rows in enumerate(self.hidden):
            real[rows + number * ROWS] = False
        return np.flatnonzero(real)

    def context(self, rows: NDArray[np.integer], moment: int | None) -> F32 | None:
        """The numbers [P, n] of items at a moment; None where the model reads none, or where they
        are not known and say nothing."""
        return None if self.counters is None else self.counters.at(rows, moment)


def make_table(
    ids: Sequence[str], vectors: F32, *, tokens: TokenRows | None = None,
    generated: range = range(0), hidden: NDArray[np.integer] | None = None,
    columns: Mapping[str, Column] | None = None, counters: Counters | None = None,
) -> Table:  # fmt: skip
    """A table of these rows, the first of which is the padding item. hidden: the rows that are not
    recommended; the first and those made up for histories unless given."""
    names = list(ids)
    if hidden is None:
        hidden = np.union1d(np.arange(1), np.asarray(generated, dtype=np.int64))
    return Table(
        names=names,
        rows={name: row for row, name in enumerate(names) if row},
        vectors=Blocks.of(vectors),
        tokens=None if tokens is None else TokenBlocks.of(tokens),
        hidden=tuple(offsets(np.unique(hidden), len(ids))),
        generated=generated,
        columns=columns or {},
        counters=counters,
    )


def load_table(bundle: Bundle, counters: Counters | None = None) -> Table:
    """The item table of a verified bundle. Raises BundleError where the manifest differs."""
    parts = bundle.parts
    tensors = parse_tensors(bundle.read(parts.items), parts.items)
    again = "export the bundle again"
    missing = {"vectors", "ids", "offsets"} - tensors.keys()
    if missing:
        raise BundleError(f"`{parts.items}` has no {', '.join(sorted(missing))}", again)
    vectors, places = tensors["vectors"], tensors["offsets"]
    if vectors.shape != (parts.rows, parts.plan.width) or vectors.dtype != np.float32:
        raise BundleError(
            f"`{parts.items}` holds {vectors.dtype}{list(vectors.shape)}, the manifest says "
            f"float32[{parts.rows}, {parts.plan.width}]",
            again,
        )
    if len(vectors) and vectors[0].any():
        raise BundleError(f"row 0 of `{parts.items}` is not zero", again)
    return make_table(
        read_ids(parts.items, tensors["ids"], places, parts.rows),
        vectors,
        tokens=None if parts.tokens is None else read_tokens(bundle, parts.tokens, parts.rows),
        generated=range(parts.rows - parts.generated, parts.rows),
        columns={} if parts.attributes is None else read_columns(bundle, parts.attributes),
        counters=counters,
    )


def read_tokens(bundle: Bundle, file: str, rows: int) -> TokenRows:
    """The tokens of every item. Raises BundleError where they do not fit."""
    tensors = parse_tensors(bundle.read(file), file)
    tokens, lengths = tensors.get("tokens"), tensors.get("lengths")
    if (
        tokens is None or lengths is None or tokens.ndim != 2 or tokens.dtype != np.int32
        or lengths.dtype != np.int32 or not len(tokens) == len(lengths) == rows
        or lengths.min(initial=0) < 0 or lengths.max(initial=0) > tokens.shape[1]
    ):  # fmt: skip
        raise BundleError(
            f"`{file}` does not hold the tokens of {rows} items", "export the bundle again"
        )
    return TokenRows(tokens=tokens, lengths=lengths)


def read_ids(file: str, content: Any, offsets: Any, rows: int) -> tuple[str, ...]:
    """The ids of an item table: UTF-8 end to end, and where each begins."""
    sound = (
        content.dtype == np.uint8
        and offsets.dtype == np.int64
        and offsets.shape == (rows + 1,)
        and bool((np.diff(offsets) >= 0).all())
        and int(offsets[0]) == 0
        and int(offsets[-1]) == content.size
    )
    text = content.tobytes()
    places = offsets.tolist()
    try:
        if not sound:
            raise ValueError("the offsets of its ids do not fit")
        ids = tuple(text[start:stop].decode() for start, stop in pairwise(places))
        if len(set(ids)) != len(ids):
            raise ValueError("an id stands twice")
    except ValueError as error:
        raise BundleError(f"`{file}` is damaged ({error})", "export the bundle again") from None
    return ids


def known_row(table: Table, name: Id) -> int:
    """The row of an item, also of one that was removed. RequestError where it has none."""
    text = as_id(name, "the item")
    row = table.places.get(text)
    if not row:
        raise RequestError(f"`{text}` is not among the items", "add it with `items.add`")
    return row


def candidate_rows(table: Table, ids: Iterable[Id]) -> I32:
    """[P] rows of candidates. Raises RequestError where one is not among the items."""
    names = as_ids(ids, "the candidates")
    places = table.places
    rows = np.array([places.get(name) for name in names], dtype=np.int32)
    wrong = (rows == 0) | table.removed_among(rows)
    if wrong.any():
        unknown = [names[place] for place in np.flatnonzero(wrong)]
        listed = ", ".join(f"`{name}`" for name in unknown[:3])
        raise RequestError(
            f"{len(unknown)} of {len(names)} candidates are not among the items: {listed}",
            "add them from their content with `items.add`, or leave them out",
        )
    return rows


def clicked_rows(table: Table, user: User) -> I32:
    """[S] rows of what a user clicked. Raises RequestError for a user of another model."""
    rows = np.array([table.places.get(name, 0) for name in user.clicks], dtype=np.int32)
    if not rows.all():
        name = user.clicks[int(np.argmin(rows))]
        raise RequestError(
            f"the user clicked `{name}`, which is not among the items", "encode it with this model"
        )
    return rows


def read_users(bundle: Bundle, file: str) -> dict[str, int]:
    """The rows of users by their ids."""
    again = "export the bundle again"
    try:
        values = json.loads(bundle.read(file).decode("utf-8"))["values"]
        rows = {str(name): int(row) for name, row in values.items()}
        if not all(0 < row < LARGEST for row in rows.values()):
            raise ValueError("a row lies beyond any table")
        return rows
    except (
        ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError
    ) as error:  # fmt: skip
        raise BundleError(f"`{file}` is not a list of users ({error!r})", again) from None
