"""Clicks and showings as they come in: what a model that reads the moment of a pair knows of items.

An event weighs exp(-t / span) once a time t has passed. So an item has a number or two per span and
the moment up to which they are faded, and nothing else is kept. Training counted the same way.

Letters: N items with row 0, n numbers, s of them shares, P pairs.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.manifest import Number
from legoc_runtime.tensors import Array


F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).max)
MICROSECONDS = 1_000_000
HOUR = 3600 * MICROSECONDS


class Counters:
    """The numbers of every item, by row. Safe to use from several threads.

    values [N, n]: clicks, 0 in the columns that count none. showings [N, s]: how often the items
    were shown, for each share. surplus [N, s]: of what was reported here, the showings less the
    clicks. All are faded to `moments` [N]. first [N]: when an item was published or first seen.
    `NEVER` stands for what has not happened. last: the latest moment that is known. Moments are
    microseconds since 1970.
    """

    def __init__(
        self, numbers: Sequence[Number], *, values: F64, moments: I64, first: I64, last: int,
        showings: F64 | None = None, surplus: F64 | None = None,
    ) -> None:  # fmt: skip
        self.numbers = tuple(numbers)
        self.spans = np.array([number.span for number in numbers])
        self.counts = np.array([number.kind != "age" for number in numbers])
        self.shares = share_columns(numbers)
        told = [numbers[column] for column in self.shares]
        self.overall = np.array([number.overall or 0.0 for number in told])
        self.weight = np.array([number.weight or 0.0 for number in told])
        none = np.zeros((len(first), len(self.shares)))
        self.values = values
        self.showings = none if showings is None else showings
        self.surplus = none.copy() if surplus is None else surplus
        self.moments = moments
        self.first = first
        self.last = last
        self.version = 0
        self.lock = Lock()

    def __len__(self) -> int:
        return len(self.first)

    def at(self, rows: NDArray[np.integer], when: int | None = None) -> F32:
        """F32[P, n]: the numbers of some items at a moment, the latest known one unless given.

        A moment before the last click or showing of an item does not take that one back.
        """
        with self.lock:
            moment = self.last if when is None else when
            values, moments, first = self.values[rows], self.moments[rows], self.first[rows]
            showings, surplus = self.showings[rows], self.surplus[rows]
        elapsed = (moment - np.minimum(moments, moment)) / MICROSECONDS
        faded = fade(elapsed[:, None], self.spans)
        found = values * faded
        if len(self.shares):
            faded = faded[:, self.shares]
            # A click counts where a showing was reported, so without any the shares stand still.
            clicks = found[:, self.shares] + np.minimum(surplus * faded, 0)
            more = self.weight * self.overall
            share = (np.maximum(clicks, 0) + more) / (showings * faded + self.weight)
            found[:, self.shares] = share
        age = (moment - np.minimum(first, moment)) / HOUR
        return np.where(self.counts, found, age[:, None]).astype(np.float32)

    def clicked(self, rows: NDArray[np.integer], when: I64) -> None:
        """Count a click of each row [P] at its moment [P], in any order.

        A click that comes late, from before the moment an item's number is faded to, is faded to
        that moment and added: the sum is the one that its order would have given.
        """
        if not len(rows):
            return
        with self.lock:
            weight = self.advance(rows, when)
            np.add.at(self.values, rows, weight * self.counts)
            np.subtract.at(self.surplus, rows, weight[:, self.shares])

    def shown(self, rows: NDArray[np.integer], when: I64) -> None:
        """Count a showing of each row [P] at its moment [P], in any order, as `clicked` counts
        clicks. Where no number is a share it is a first sight and nothing more."""
        if not len(rows):
            return
        with self.lock:
            if not len(self.shares):
                self.see(rows, when)
                return
            weight = self.advance(rows, when)[:, self.shares]
            np.add.at(self.showings, rows, weight)
            np.add.at(self.surplus, rows, weight)

    def advance(self, rows: NDArray[np.integer], when: I64) -> F64:
        """Fade the numbers of these rows to the latest of their moments; F64[P, n]: what an event
        at each moment weighs then."""
        own, place = np.unique(rows, return_inverse=True)
        before, none = self.moments[own], self.moments[own] == NEVER
        latest = np.where(none, np.iinfo(np.int64).min, before)
        np.maximum.at(latest, place, when)
        passed = np.where(none, 0, latest - np.where(none, latest, before)) / MICROSECONDS
        faded = fade(passed[:, None], self.spans)
        self.values[own] *= faded
        self.showings[own] *= faded[:, self.shares]
        self.surplus[own] *= faded[:, self.shares]
        self.moments[own] = latest
        self.see(rows, when)
        return fade((latest[place] - when)[:, None] / MICROSECONDS, self.spans)

    def see(self, rows: NDArray[np.integer], when: I64) -> None:
        """Know that these rows were there at these moments."""
        np.minimum.at(self.first, rows, when)
        self.last = max(self.last, int(when.max()))
        self.version += 1

    def grow(self, rows: int, when: int | None = None) -> None:
        """Room for this many rows. What is new has no click, was never shown, and is first seen at
        a moment: the latest known one unless given."""
        with self.lock:
            moment = self.last if when is None else when
            self.values = grown(self.values, rows, 0)
            self.showings = grown(self.showings, rows, 0)
            self.surplus = grown(self.surplus, rows, 0)
            self.moments = grown(self.moments, rows, NEVER)
            self.first = grown(self.first, rows, moment)
            self.last = max(self.last, moment)
            self.version += 1

    def kept(self) -> dict[str, Array]:
        """A copy of all that is known, by name."""
        with self.lock:
            shown = {"showings": self.showings.copy(), "surplus": self.surplus.copy()}
            return {
                "values": self.values.copy(), **(shown if len(self.shares) else {}),
                "moments": self.moments.copy(), "first": self.first.copy(),
                "last": np.array([self.last]),
            }  # fmt: skip

    def take(
        self, rows: NDArray[np.integer], kept: dict[str, Array], of: NDArray[np.integer]
    ) -> None:
        """Put what was kept of some items, `of` among those of `kept`, in the place of what is
        known of these rows."""
        with self.lock:
            self.values[rows], self.moments[rows] = kept["values"][of], kept["moments"][of]
            if len(self.shares):
                self.showings[rows] = kept["showings"][of]
                self.surplus[rows] = kept["surplus"][of]
            self.first[rows] = kept["first"][of]
            self.last = max(self.last, int(kept["last"][0]))
            self.version += 1


def grown(array: NDArray[Any], rows: int, value: int) -> NDArray[Any]:
    """The same with so many rows, the new ones full of a value. It is a part of a larger array,
    which has room for an eighth more, so that few calls copy."""
    before = len(array)
    room = array.base
    if room is None or len(room) < rows or array.ctypes.data != room.ctypes.data:
        room = np.empty((max(rows + rows // 8, 64), *array.shape[1:]), dtype=array.dtype)
        room[:before] = array
    room[before:rows] = value
    return room[:rows]


def share_columns(numbers: Sequence[Number]) -> NDArray[np.intp]:
    """The columns that are shares."""
    return np.flatnonzero([number.kind == "share" for number in numbers])


def fade(seconds: F64, spans: F64) -> F64:
    """What an event weighs after so long; all alike where the span is infinite."""
    return np.exp(-seconds / spans)
