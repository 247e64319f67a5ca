"""What is told and asked of items at a moment, for models that read what was clicked when."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from legoc_runtime.catalogue import write_file
from legoc_runtime.counter_files import read_counters
from legoc_runtime.counters import I64, Counters
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import I32, Graphs
from legoc_runtime.ids import Id, as_ids
from legoc_runtime.moments import Unit
from legoc_runtime.table import Table
from legoc_runtime.when import as_moment, as_moments


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What `Items.clicked` and `Items.shown` did: how many clicks or showings count, and the ids
    that are not among the items, whose own are left out."""

    counted: int
    unknown: tuple[str, ...]


class Counting:
    """The counters of the items of a model, a part of `Items`."""

    table: Table
    graphs: Graphs
    lock: Lock

    @property
    def counters(self) -> Counters | None:
        """What is known of the items at a moment, for models that read it and bundles that have
        it."""
        return self.table.counters

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
