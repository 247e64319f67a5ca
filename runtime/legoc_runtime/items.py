"""The items of a bundle: their ids, their vectors, and new ones from raw text.

Letters: N items, D width, I new items, P pairs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
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
from legoc_runtime.compacting import compacted
from legoc_runtime.counting import Counting
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, Graphs
from legoc_runtime.ids import Id, as_flag, as_id, as_ids
from legoc_runtime.table import Table, known_row
from legoc_runtime.tokens import Reader, Record


class Items(Counting):
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

    def page(self, start: int, most: int) -> tuple[list[str], int]:
        """Some of `ids`, from a place on, and how many there are in all."""
        table = self.table
        rows = table.shown_rows()
        return [table.names[row] for row in rows[start : start + most].tolist()], len(rows)

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
    def attributes(self) -> tuple[str, ...]:
        """The attributes that were kept, which `where` may ask for."""
        return tuple(self.table.columns)

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

    def save(self, path: Path | str, *, compact: bool = False) -> None:
        """Write the items to a file, whole or not at all, for `load` of a process that goes on:
        vectors, kept attributes, what was removed, and the counters. Raises RequestError where the
        file cannot be written; one that was there is then as it was.

        compact: leave out what was removed. Whoever loads the file does not know it any more: a
        click on it counts for nothing, and `add` makes it new.
        """
        compact = as_flag(compact, "compact")
        with self.lock:
            table, digests = self.table, self.digests
            kept = None if table.counters is None else table.counters.kept()
        if compact:
            table, digests, kept = compacted(table, digests, kept)
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
