"""What full ranking ranks: once for each group that clicks, every item but those of its history.

A group is ranked as of its first row: with the history of that row, at its moment. What the group
clicks stays in, even where the history has it too. Letters: N items with row 0, n items of the
catalogue, R rows, Q queries, P positives.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.codes import Codes
from legoc.data.indexing.index import order_rows
from legoc.data.indexing.log import I32, I64, Log


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The items that are ranked, in classes that stand one behind the other.

    items I32[n]: rows of the item table, rising within a class. ends: where each class ends. place
    I64[N]: where an item stands, -1 for one that is not ranked. names: of the classes.
    """

    items: I32
    ends: tuple[int, ...]
    place: I64
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """Where each class begins and ends."""
        return list(zip((0, *self.ends[:-1]), self.ends, strict=True))

    def class_of(self, items: I32) -> I64:
        return np.searchsorted(np.asarray(self.ends), self.place[items], side="right")

    @staticmethod
    def of(offered: Bool, known: Bool | None = None) -> "Catalogue":
        """offered, known: Bool[N]. Known and new items are two classes, where there are both."""
        masks = {"all": offered}
        if known is not None and (offered & ~known).any() and (offered & known).any():
            masks = {"known": offered & known, "new": offered & ~known}
        parts = [np.flatnonzero(mask) for mask in masks.values()]
        items = np.concatenate(parts).astype(np.int32)
        place = np.full(len(offered), -1, dtype=np.int64)
        place[items] = np.arange(len(items))
        ends = tuple(int(end) for end in np.cumsum([len(part) for part in parts]))
        return Catalogue(items=items, ends=ends, place=place, names=tuple(masks))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the user of each row had clicked before: `clicks[starts[m] : starts[m + 1]]` of the
    history m = of[r]."""

    of: I32
    starts: I64
    clicks: I32


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Groups with a click in the catalogue, each a list to be ranked.

    group I64[Q]: its number in the log, rising. row I64[Q]: the row it is ranked as of. starts
    I64[Q + 1]: where its positives begin in item I32[P], which are distinct and rise.
    """

    group: I64
    row: I64
    starts: I64
    item: I32
    seen: Seen
    catalogue: Catalogue

    def __len__(self) -> int:
        return len(self.group)

    @property
    def owner(self) -> I64:
        """I64[P]: the query of each positive."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def positives(self, chosen: I64) -> tuple[I64, I64]:
        """Of some queries: the number of each positive, and which of the chosen it belongs to."""
        counts = self.starts[chosen + 1] - self.starts[chosen]
        return spread(self.starts[chosen], counts), np.repeat(np.arange(len(chosen)), counts)

    def left_out(self, chosen: I64) -> tuple[I64, I64]:
        """Of some queries: the places in the catalogue that are not ranked for them, and which of
        the chosen each belongs to. They are distinct, and rise within a query."""
        histories = self.seen.of[self.row[chosen]].astype(np.int64)
        counts = self.seen.starts[histories + 1] - self.seen.starts[histories]
        owner = np.repeat(np.arange(len(chosen)), counts)
        clicks = self.seen.clicks[spread(self.seen.starts[histories], counts)]
        place = self.catalogue.place[clicks]
        size = max(len(self.catalogue), 1)
        keys = np.sort((owner * size + place)[place >= 0])
        keys = keys[np.diff(keys, prepend=-1) > 0]
        number, own = self.positives(chosen)
        clicked = own * size + self.catalogue.place[self.item[number]]
        if len(keys):
            # Both rise, and those that are clicked are few.
            found = np.minimum(np.searchsorted(keys, clicked), len(keys) - 1)
            keys = np.delete(keys, found[keys[found] == clicked])
        return keys % size, keys // size


def spread(begins: I64, counts: I64) -> I64:
    """begins[i], begins[i] + 1, ... counts[i] numbers for each i, end to end."""
    before = np.cumsum(counts) - counts
    return np.repeat(begins - before, counts) + np.arange(int(counts.sum()))


def build_queries(log: Log, catalogue: Catalogue, seen: Seen) -> Queries:
    """The lists of a log."""
    group = np.asarray(log.group).astype(np.int64)
    item = np.asarray(log.item)
    clicked = (np.asarray(log.label) > 0.5) & (catalogue.place[item] >= 0)
    size = len(catalogue.place)
    keys = np.unique(group[clicked] * size + item[clicked])
    groups, counts = np.unique(keys // size, return_counts=True)
    rows = np.flatnonzero(~np.isnan(log.label) & np.isin(group, groups))
    # Without moments the rows stand in the order in which they came.
    moments = np.asarray(log.moment)[rows] if len(log.moment) else np.zeros(len(rows))
    rows = rows[np.lexsort((rows, moments, group[rows]))]
    first = rows[np.flatnonzero(np.diff(group[rows], prepend=-1))]
    return Queries(
        group=groups,
        row=first,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        item=(keys % size).astype(np.int32),
        seen=seen,
        catalogue=catalogue,
    )


def read_seen(prepared: "Prepared", split: str, group: str) -> Seen:
    """The histories of a part as the tables have them: what a model reads of them may be less."""
    codes = Codes.load(prepared.tables.folder)
    rows, _, order = order_rows(codes, split, group)
    return Seen(of=codes.history[rows[order]], starts=codes.starts, clicks=codes.clicks)


def seen_in(log: Log) -> Seen:
    """The histories of a log itself."""
    return Seen(of=log.history, starts=log.starts, clicks=log.clicks)


def offered(prepared: "Prepared") -> Bool:
    """Bool[N]: the whole catalogue. Items that were made up for histories are offered to nobody."""
    count = len(prepared.items)
    mask = np.ones(count, dtype=bool)
    mask[0] = False
    mask[count - prepared.generated :] = False
    return mask


def name_catalogue(ids: Sequence[str], chosen: Bool) -> str:
    """`400 items (1f0c88e2)`: equal for equal sets of items."""
    names = sorted(ids[row] for row in np.flatnonzero(chosen))
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    return f"{len(names):,} items ({digest})"
