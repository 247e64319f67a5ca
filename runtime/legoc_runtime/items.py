"""The items of a bundle: their ids, their vectors, and new ones from raw text.

Letters: N items with row 0, D width, I new items.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.chunks import by_length
from legoc_runtime.counter_files import read_counters
from legoc_runtime.counters import I64, Counters
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.histories import TokenRows
from legoc_runtime.ids import Id, as_id, as_ids, as_list, shown
from legoc_runtime.moments import Unit
from legoc_runtime.table import Table, extend
from legoc_runtime.tensors import write_tensors
from legoc_runtime.tokens import Reader, Record
from legoc_runtime.when import as_moment, as_moments


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


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What `Items.clicked` and `Items.shown` did: how many clicks or showings count, and the ids
    that are not among the items, whose own are left out."""

    counted: int
    unknown: tuple[str, ...]


class Items:
    """The item table. Reading it is safe at any time: `add` puts a whole new table in its place.

    counters: what is known of the items at a moment, for models that read it and bundles that have
    it.
    """

    def __init__(
        self,
        table: Table,
        graphs: Graphs,
        reader: Reader | None,
        counters: Counters | None = None,
    ) -> None:
        self.table = table
        self.counters = counters
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

    def clicked(self, ids: Iterable[Id], when: object) -> Counted:
        """Count a click of each of these items, for models with a `context`.

        when: the moment of all of them, or a list with one for each: datetimes, ISO texts or
        seconds since 1970, in any order; numbers of the log's unit where that counts from a
        beginning of its own. Ids that are not among the items are left out and told. A
        click is no showing: a `share` takes no more clicks of an item than showings that `shown`
        was told. Raises RequestError, and counts nothing, for what is no list of ids or no time,
        and for models that read no moment.
        """
        return self.count(self.need_counters().clicked, ids, "the clicked items", when)

    def shown(self, ids: Iterable[Id], when: object) -> Counted:
        """Count a showing of each of these items, for models with a `share` in their `context`.

        What was displayed, whether it was clicked or not; ids and moments are those of `clicked`.
        Models without a share learn from it when an item was first seen. Raises RequestError as
        `clicked` does.
        """
        return self.count(self.need_counters().shown, ids, "the shown items", when)

    def count(
        self, event: Callable[[I32, I64], None], ids: Iterable[Id], what: str, when: object
    ) -> Counted:
        """Hand the rows of these items and their moments to an event of the counters."""
        names = as_ids(ids, what)
        moments = np.array(as_moments(when, len(names), unit=self.unit), dtype=np.int64)
        table = self.table
        rows = np.array([table.places.get(name, 0) for name in names], dtype=np.int32)
        event(rows[rows > 0], moments[rows > 0])
        unknown = [name for name, row in zip(names, rows, strict=True) if not row]
        return Counted(counted=int((rows > 0).sum()), unknown=tuple(dict.fromkeys(unknown)))

    @property
    def unit(self) -> Unit | None:
        """Of moments that count from a beginning of their own."""
        context = self.graphs.parts.context
        return None if context is None else context.unit

    def need_counters(self) -> Counters:
        """The counters, or a RequestError that says why there are none."""
        if self.counters is not None:
            return self.counters
        if self.graphs.parts.context is None:
            raise RequestError(
                "this model does not read what was clicked when",
                "train it with `data { context = [popularity(hours=24)] }`",
            )
        raise RequestError(
            "this bundle was written without its counters", "export it again to count clicks"
        )

    def moment(self, when: object) -> int | None:
        """Microseconds since 1970, None for the latest known moment. RequestError where the model
        has no use for one."""
        if when is None:
            return None
        self.need_counters()
        return as_moment(when, unit=self.unit)

    def context(self, rows: NDArray[np.integer], moment: int | None) -> F32 | None:
        """The numbers [P, n] of items at a moment; None where the model reads none, or where they
        are not known and say nothing."""
        return None if self.counters is None else self.counters.at(rows, moment)

    def save_counters(self, path: Path | str) -> None:
        """Write what is known of all items to a file, whole or not at all, for `load_counters` of a
        process that goes on from here."""
        counters = self.need_counters()
        with self.lock:
            ids, kept = self.table.ids, counters.kept()
        texts = [name.encode() for name in ids]
        named = "\n".join(number.name for number in counters.numbers)
        write_tensors(
            Path(path),
            {
                **kept,
                "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
                "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
                "numbers": np.frombuffer(named.encode(), dtype=np.uint8),
            },
        )

    def load_counters(self, path: Path | str) -> tuple[str, ...]:
        """Go on with what `save_counters` wrote; the ids of the file that are not among the items.

        Items are matched by id, so the file may come from an earlier bundle of the same numbers; of
        items it does not hold, what is known stays. Raises BundleError for another file.
        """
        counters = self.need_counters()
        ids, kept = read_counters(Path(path), counters.numbers)
        with self.lock:
            places = [self.table.places.get(name, 0) for name in ids]
            rows = np.array(places, dtype=np.int32)
            counters.take(rows[rows > 0], kept, np.flatnonzero(rows))
        return tuple(name for name, row in zip(ids, places, strict=True) if name and not row)

    def add(self, records: Iterable[Record], when: object = None) -> Added:
        """Encode new items from raw attributes and put them into the table.

        A record has `id`, a text or a whole number, and at least one attribute the model reads;
        what else it has is ignored, and told. A known id gets the new vector. when: the moment at
        which new ones appeared, for models with a `context`; the latest one known unless given.
        They have no click. Raises RequestError, and changes nothing, for a record without these,
        for an id given twice, for one whose vector is not finite, and for models whose items are
        rows of a table.
        """
        moment = self.moment(when)
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
            table, replaced = extend(self.table, names, vectors, tokens)
            if self.counters is not None:
                # Before the table, so that every row that is seen has its numbers.
                self.counters.grow(len(table.ids), moment)
            self.table = table
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
