"""The items of a bundle: their ids, their vectors, and new ones from raw text.

Letters: N items with row 0, D width, I new items, L tokens.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from threading import Lock
from typing import Any, cast

import numpy as np

from legoc_runtime.bundle import Bundle
from legoc_runtime.chunks import by_length
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.histories import TokenRows
from legoc_runtime.ids import Id, as_id, as_list, shown
from legoc_runtime.tensors import parse_tensors
from legoc_runtime.tokens import Reader, Record


@dataclass(frozen=True, kw_only=True)
class Table:
    """The items at one moment: ids (row 0 is the padding item, with the empty id), vectors, and
    for user encoders that flatten what the items say."""

    ids: tuple[str, ...]
    vectors: F32
    tokens: TokenRows | None = None

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.ids) if place}


@dataclass(frozen=True, kw_only=True)
class Added:
    """What `Items.add` did: the ids of new rows, those whose vector was replaced, and those whose
    record had nothing to read, so that they have the vector of an empty item.

    ignored: what the records have besides attributes that the model reads. unseen: values of
    category attributes that it has not seen in training, which it reads as unknown.
    """

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    empty: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


class Items:
    """The item table. Reading it is safe at any time: `add` puts a whole new table in its place."""

    def __init__(self, table: Table, graphs: Graphs, reader: Reader | None) -> None:
        self.table = table
        self.graphs = graphs
        self.reader = reader
        self.lock = Lock()

    def __len__(self) -> int:
        """Rows of the table, the padding item included."""
        return len(self.table.ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each row; row 0 is the padding item with the empty id."""
        return self.table.ids

    @property
    def vectors(self) -> F32:
        """[N, D], row 0 zero."""
        return self.table.vectors

    def index(self, name: Id) -> int:
        """The row of an item, 0 if there is none of this id."""
        return self.table.places.get(as_id(name), 0)

    def add(self, records: Iterable[Record]) -> Added:
        """Encode new items from raw attributes and put them into the table.

        A record has `id`, a text or a whole number, and at least one attribute the model reads;
        what else it has is ignored, and told. A known id gets the new vector. Raises RequestError,
        and changes nothing, for a record without these, for an id given twice, for one whose vector
        is not finite, and for models whose items are rows of a table.
        """
        if not self.graphs.encodes_items or self.reader is None:
            raise RequestError(
                "items of this model are rows of a table that was trained; it has no row for a "
                "new one",
                "train a model that reads the items' content to add items",
            )
        records = as_list(records, "the records", 'give a list: [{"id": "X1", ...}]')
        names = [verify_record(record, self.reader.attributes) for record in records]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise RequestError(f"`{twice[0]}` is given twice", "give each item once")
        vectors, lengths = encode_records(self.graphs, self.reader, records)
        broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(broken):
            raise RequestError(
                f"the model makes no finite vector of `{names[broken[0]]}`",
                "leave it out, or export the model again",
            )
        tokens = read_sequences(self.reader, records) if self.table.tokens is not None else None
        with self.lock:
            self.table, replaced = extend(self.table, names, vectors, tokens)
        return Added(
            added=tuple(name for name in names if name not in replaced),
            replaced=replaced,
            empty=tuple(name for name, length in zip(names, lengths, strict=True) if not length),
            ignored=tuple(
                sorted({str(key) for r in records for key in r} - {"id", *self.reader.attributes})
            ),
            unseen=self.reader.unseen(records),
        )


def verify_record(given: object, attributes: Sequence[str]) -> str:
    """The id of a record that has one and at least one of the attributes."""
    if not isinstance(given, Mapping):
        raise RequestError(f"a record is {shown(given)}", 'give each as in {"id": "X1", ...}')
    record = cast(Record, given)
    name = record.get("id")
    if name is None or name == "":
        raise RequestError("a record has no `id`", 'give each one, as in {"id": "X1", ...}')
    name = as_id(name, "the `id` of a record")
    if not any(attribute in record for attribute in attributes):
        known = ", ".join(f"`{attribute}`" for attribute in attributes)
        raise RequestError(
            f"the record `{name}` has none of the attributes the model reads",
            f"give at least one of {known}",
        )
    return name


def encode_records(graphs: Graphs, reader: Reader, records: Sequence[Record]) -> tuple[F32, I32]:
    """Vectors [I, D] of records, and how many tokens each has in all."""
    matrices = reader.read(records)
    total = np.zeros(len(records), dtype=np.int32)
    for _, lengths in matrices.values():
        total += lengths
    vectors = np.zeros((len(records), graphs.parts.plan.width), dtype=np.float32)
    for rows in by_length(total):
        inputs: dict[str, Any] = {}
        for name, (ids, lengths) in matrices.items():
            width = max(int(lengths[rows].max(initial=0)), 1)
            inputs[name] = ids[rows, :width]
            inputs[f"{name}_mask"] = np.arange(width) < lengths[rows, None]
        vectors[rows] = graphs.encode_items(inputs)
    return vectors, total


def read_sequences(reader: Reader, records: Sequence[Record]) -> TokenRows:
    """The tokens of records laid end to end, however the item encoder reads them."""
    tokens, lengths = reader.in_sequence().read(records)["tokens"]
    return TokenRows(tokens=tokens, lengths=lengths)


def extend(
    table: Table, names: Sequence[str], vectors: F32, tokens: TokenRows | None = None
) -> tuple[Table, tuple[str, ...]]:
    """A new table with these items, and the names of those that were there already. tokens: of the
    items, for a table that has them."""
    known = [table.places.get(name, 0) for name in names]
    fresh = [place for place, row in enumerate(known) if not row]
    grown = np.concatenate([table.vectors, vectors[fresh]])
    for place, row in enumerate(known):
        if row:
            grown[row] = vectors[place]
    ids = (*table.ids, *(names[place] for place in fresh))
    replaced = tuple(name for name, row in zip(names, known, strict=True) if row)
    every = None
    if table.tokens is not None and tokens is not None:
        new = {place: len(table.ids) + number for number, place in enumerate(fresh)}
        rows = [row or new[place] for place, row in enumerate(known)]
        every = table.tokens.with_rows(len(ids), rows, tokens)
    return Table(ids=ids, vectors=grown, tokens=every), replaced


def load_table(bundle: Bundle) -> Table:
    """The item table of a verified bundle. Raises BundleError where the manifest differs."""
    parts = bundle.parts
    tensors = parse_tensors(bundle.read(parts.items), parts.items)
    again = "export the bundle again"
    missing = {"vectors", "ids", "offsets"} - tensors.keys()
    if missing:
        raise BundleError(f"`{parts.items}` has no {', '.join(sorted(missing))}", again)
    vectors, offsets = tensors["vectors"], tensors["offsets"]
    if vectors.shape != (parts.rows, parts.plan.width) or vectors.dtype != np.float32:
        raise BundleError(
            f"`{parts.items}` holds {vectors.dtype}{list(vectors.shape)}, the manifest says "
            f"float32[{parts.rows}, {parts.plan.width}]",
            again,
        )
    if len(vectors) and vectors[0].any():
        raise BundleError(f"row 0 of `{parts.items}` is not zero", again)
    ids = read_ids(parts.items, tensors["ids"], offsets, parts.rows)
    tokens = None if parts.tokens is None else read_tokens(bundle, parts.tokens, parts.rows)
    return Table(ids=ids, vectors=vectors, tokens=tokens)


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
