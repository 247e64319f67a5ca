"""The items of a bundle: their ids, their vectors, and new ones from raw text.

Letters: N items, D width, I new items, P pairs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from legoc_runtime.adding import (
    DIGEST,
    Added,
    Removed,
    as_records,
    encode_read,
    read_records,
    read_sequences,
    verify_attributes,
)
from legoc_runtime.blocks import Blocks
from legoc_runtime.catalogue import catalogue_tensors, read_catalogue, write_file
from legoc_runtime.changes import Made, change_columns, find_changed, hide, insert
from legoc_runtime.counter_files import read_counters
from legoc_runtime.counters import I64, Counters
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.ids import Id, as_id, as_ids
from legoc_runtime.moments import Unit
from legoc_runtime.table import Table, known_row
from legoc_runtime.tokens import Reader, Record
from legoc_runtime.when import as_moment, as_moments


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What `Items.clicked` and `Items.shown` did: how many clicks or showings count, and the ids
    that are not among the items, whose own are left out."""

    counted: int
    unknown: tuple[str, ...]


class Items:
    """The items of a model. Reading is safe at any time and waits for nobody: a reader takes
    `table` once, which never changes, and each change puts another in its place."""

    def __init__(self, table: Table, graphs: Graphs, reader: Reader | None) -> None:
        self.table = table
        self.graphs = graphs
        self.reader = reader
        self.digests = Blocks.of(np.zeros((table.count, DIGEST), dtype=np.uint8))
        self.lock = Lock()

    def __len__(self) -> int:
        """How many items can be recommended: without what was removed or made up for histories."""
        return self.table.shown

    def __contains__(self, name: Id) -> bool:
        """Whether an item can be recommended."""
        table = self.table
        row = table.places.get(as_id(name))
        return bool(row) and not table.is_hidden(row)

    def __repr__(self) -> str:
        return f"<{len(self):,} items of width {self.width}>"

    @property
    def width(self) -> int:
        """Of a vector."""
        return self.graphs.parts.plan.width

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the items, in the order in which they came; a copy."""
        table = self.table
        return tuple(table.names[row] for row in table.shown_rows().tolist())

    @property
    def vectors(self) -> F32:
        """[N, D]: a copy of the vectors of the items in the order of `ids`."""
        table = self.table
        return table.vectors[table.shown_rows()]

    def index(self, name: Id) -> int:
        """The place of an item in `ids` and `vectors`. RequestError where it is not among them."""
        table = self.table
        row = known_row(table, name)
        place = table.place_of(row)
        if place is None:
            raise RequestError(f"`{as_id(name)}` is not among the items", "it was removed")
        return place

    def vector(self, name: Id) -> F32:
        """[D] of an item, also of one that was removed. RequestError for an id it never had."""
        table = self.table
        return table.vectors[np.array([known_row(table, name)])][0]

    @property
    def counters(self) -> Counters | None:
        """What is known of the items at a moment, for models that read it and bundles that have
        it."""
        return self.table.counters

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that were kept, which `where` may ask for."""
        return tuple(self.table.columns)

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

    def save_counters(self, path: Path | str) -> None:
        """Write what is known of all items to a file, whole or not at all, for `load_counters` of a
        process that goes on from here."""
        counters = self.need_counters()
        with self.lock:
            ids, kept = self.table.ids, counters.kept()
        texts = [name.encode() for name in ids]
        named = "\n".join(number.name for number in counters.numbers)
        write_file(
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
        """Encode new items from raw attributes and put them into the catalogue.

        A record has `id`, a text or a whole number, and at least one attribute the model reads;
        attributes the bundle keeps come with it, and what else it has is ignored, and told. A known
        id gets the new content, and a vector where that differs from what was added before; one
        that was removed is back. when: the moment at
        which new ones appeared, for models with a `context`; the latest one known unless given.
        They have no click. Raises RequestError, and changes nothing, for a record without these,
        for an id given twice, for one whose vector is not finite, and for models whose items are
        rows of a table.
        """
        moment = self.moment(when)
        reader = self.need_reader()
        given, names = as_records(records)
        for record, name in zip(given, names, strict=True):
            verify_attributes(name, record, reader.attributes, "reads")
        return self.put(given, names, moment)

    def update(self, records: Iterable[Record]) -> Added:
        """Give items other attributes.

        A record with an attribute the model reads has the whole content anew, as in `add`; one that
        has attributes the bundle keeps and no other changes those alone, and those it does not name
        stay. Raises RequestError, and changes nothing, as `add` does, and for an id that is not
        among the items.
        """
        given, names = as_records(records)
        reads = () if self.reader is None else self.reader.attributes
        table = self.table
        for record, name in zip(given, names, strict=True):
            if not table.places.get(name) or name not in self:
                raise RequestError(f"`{name}` is not among the items", "add it with `items.add`")
            verify_attributes(name, record, dict.fromkeys((*reads, *table.columns)), "has")
        whole = [any(attribute in record for attribute in reads) for record in given]
        if any(whole):
            self.need_reader()
        chosen = [place for place, each in enumerate(whole) if each]
        done = self.put([given[p] for p in chosen], [names[p] for p in chosen], None)
        rest = [place for place, each in enumerate(whole) if not each]
        return self.put_columns([given[p] for p in rest], [names[p] for p in rest], done)

    def remove(self, ids: Iterable[Id]) -> Removed:
        """Recommend these items no more.

        Their vectors stay, for histories that hold them: a click on one counts as before, and
        `similar` finds its neighbours. As candidates they are refused. `add` brings one back.
        """
        names = list(dict.fromkeys(as_ids(ids, "the removed items")))
        with self.lock:
            table = self.table
            rows = [table.places.get(name) for name in names]
            gone = {row for row in rows if row and not table.is_hidden(row)}
            self.table = replace(table, hidden=hide(table, np.array(sorted(gone), dtype=np.int64)))
        return Removed(
            removed=tuple(n for n, row in zip(names, rows, strict=True) if row in gone),
            unknown=tuple(n for n, row in zip(names, rows, strict=True) if row not in gone),
        )

    def save(self, path: Path | str) -> None:
        """Write the items to a file, whole or not at all, for `load` of a process that goes on:
        vectors, kept attributes, what was removed, and the counters. Raises RequestError where the
        file cannot be written; one that was there is then as it was."""
        with self.lock:
            table, digests = self.table, self.digests
            kept = None if table.counters is None else table.counters.kept()
        tensors = catalogue_tensors(self.graphs.parts, table, digests, kept)
        write_file(Path(path), tensors, summed="sum")

    def load(self, path: Path | str) -> None:
        """Take the items that `save` wrote in the place of those that are there, counters included.
        Raises BundleError, and changes nothing, for another file and for one of another model."""
        table, digests = read_catalogue(Path(path), self.graphs.parts, self.table)
        with self.lock:
            self.table, self.digests = table, digests

    def need_reader(self) -> Reader:
        """The reader of raw attributes, or a RequestError where the model has none."""
        if self.graphs.encodes_items and self.reader is not None:
            return self.reader
        raise RequestError(
            "items of this model are rows of a table that was trained; it has no row for a new one",
            "train a model that reads the items' content to add items",
        )

    def put(self, records: Sequence[Record], names: Sequence[str], moment: int | None) -> Added:
        """Put records with a content into the table."""
        if not records:
            return Added(added=(), replaced=(), empty=())
        reader = self.need_reader()
        for column in self.table.columns.values():
            column.verify(records)
        read = read_records(reader, records)
        tokens = None if self.table.tokens is None else read_sequences(reader, records)
        made: Made | None = None
        while True:
            with self.lock:
                changed = find_changed(self.table, self.digests, names, read.digests)
                # Another change may have come between, so that more is to be computed.
                if made is not None and np.isin(changed, made.changed).all():
                    self.table, self.digests, fresh = insert(
                        self.table, self.digests, made, records, moment
                    )
                    break
            vectors = encode_read(self.graphs, read, changed)
            broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
            if len(broken):
                raise RequestError(
                    f"the model makes no finite vector of `{names[int(changed[broken[0]])]}`",
                    "leave it out, or export the model again",
                )
            made = Made(
                names=names, changed=changed, vectors=vectors, digests=read.digests, tokens=tokens
            )
        kept = {*names} - {names[int(place)] for place in made.changed}
        return Added(
            added=tuple(name for name in names if name in fresh),
            replaced=tuple(n for n in names if n not in fresh and n not in kept),
            empty=tuple(n for n, size in zip(names, read.lengths, strict=True) if not size),
            ignored=self.ignored(records),
            unseen=reader.unseen(records),
            unchanged=tuple(name for name in names if name in kept),
        )

    def put_columns(self, records: Sequence[Record], names: Sequence[str], done: Added) -> Added:
        """Change kept attributes alone."""
        if not records:
            return done
        for column in self.table.columns.values():
            column.verify(records)
        with self.lock:
            self.table = change_columns(self.table, names, records)
        return replace(
            done,
            unchanged=(*done.unchanged, *names),
            ignored=tuple(sorted({*done.ignored, *self.ignored(records)})),
        )

    def ignored(self, records: Sequence[Record]) -> tuple[str, ...]:
        """What records have that is neither read nor kept."""
        reads = () if self.reader is None else self.reader.attributes
        known = {"id", *reads, *self.table.columns}
        return tuple(sorted({str(key) for record in records for key in record} - known))
