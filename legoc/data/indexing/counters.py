"""Events counted up to a moment: how often an item was clicked or shown lately, strictly before.

An event weighs exp(-t / span) once a time t has passed since, so an item that is clicked at a
steady rate has the count of one span, an application keeps a number and one moment per item, and no
window has to be forgotten. `legoc_runtime.counters` keeps the same numbers while it serves.

Letters: T entries, N items with row 0, Q questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import I32, I64


F64 = NDArray[np.float64]
MICROSECONDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class EventTimes:
    """Every event of a kind, clicks or showings, whose moment is known: by item, then by moment.

    Events of one item in one moment are one entry with their number, for none of them is before
    the other.
    """

    starts: I64  # [N + 1] where the moments of each item begin
    moments: I64  # [T] microseconds
    counts: I32  # [T] events in that moment

    @staticmethod
    def of(items: I32, moments: I64, events: I32, rows: int) -> "EventTimes":
        """events[t] events of items[t] at moments[t], in any order; rows: N."""
        order = np.lexsort((moments, items))
        item, moment = items[order], moments[order]
        new = np.ones(len(item), dtype=bool)
        new[1:] = (item[1:] != item[:-1]) | (moment[1:] != moment[:-1])
        first = np.flatnonzero(new)
        total = np.concatenate([[0], np.cumsum(events[order], dtype=np.int64)])
        counts = np.diff(total[np.append(first, len(item))]).astype(np.int32)
        starts = np.searchsorted(item[first], np.arange(rows + 1)).astype(np.int64)
        return EventTimes(starts=starts, moments=moment[first], counts=counts)

    def before(self, items: I32, moments: I64) -> I64:
        """I64[Q]: the place of the last entry of each item strictly before a moment, -1 where there
        is none. A binary search over all questions at once."""
        low, high = self.starts[items].copy(), self.starts[np.asarray(items, np.int64) + 1].copy()
        first = low.copy()
        while True:
            open_ = low < high
            if not open_.any():
                break
            middle = (low + high) // 2
            earlier = np.zeros(len(low), dtype=bool)
            earlier[open_] = self.moments[middle[open_]] < moments[open_]
            low = np.where(open_ & earlier, middle + 1, low)
            high = np.where(open_ & ~earlier, middle, high)
        return np.where(low > first, low - 1, -1)

    def ends(self) -> I64:
        """I64[N]: the place of the last entry of each item, -1 where there is none."""
        return np.where(np.diff(self.starts) > 0, self.starts[1:] - 1, -1)

    def moments_at(self, place: I64) -> I64:
        """I64[Q]: the moments of entries, the least number for no entry."""
        found = np.full(len(place), np.iinfo(np.int64).min)
        found[place >= 0] = self.moments[place[place >= 0]]
        return found

    def decayed(self, span: float) -> F64:
        """F64[T]: the count of an item just after each entry; span in seconds.

        The recurrence v = v' exp(-t / span) + n over the entries of an item is a composition of
        affine maps, taken in doubling steps: after step k an entry has seen the 2^k before it.
        """
        value = self.counts.astype(np.float64)
        if np.isinf(span):
            total = np.cumsum(value)
            item = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
            return total - np.concatenate([[0.0], total])[self.starts[item]]
        factor = np.zeros(len(value))
        elapsed = np.diff(self.moments) / MICROSECONDS
        factor[1:] = np.exp(-np.maximum(elapsed, 0) / span)
        factor[self.starts[:-1][self.starts[:-1] < len(value)]] = 0
        step = 1
        while step < len(value) and factor.any():
            value[step:] += factor[step:] * value[:-step]
            factor[step:] *= factor[:-step].copy()
            factor[:step] = 0
            step *= 2
        return value

    def save(self, folder: Path) -> None:
        """Put the entries into a folder."""
        for name in ENTRIES:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @staticmethod
    def load(folder: Path) -> "EventTimes":
        """What `save` has put there; the arrays are memory-mapped."""
        return EventTimes(**{name: load_array(folder, name) for name in ENTRIES})


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The decayed count of every item at any moment."""

    times: EventTimes
    values: F64
    span: float

    @staticmethod
    def of(times: EventTimes, span: float) -> "Counter":
        """span: seconds after which an event weighs 1 / e; infinite for all alike."""
        return Counter(times=times, values=times.decayed(span), span=span)

    def at(self, items: I32, moments: I64) -> F64:
        """F64[Q]: the events of items strictly before moments, the older the lighter."""
        return self.at_places(self.times.before(items, moments), moments)

    def at_places(self, place: I64, moments: I64) -> F64:
        """F64[Q]: the same where the last entries before are known (`EventTimes.before`)."""
        there = place >= 0
        found = np.zeros(len(place))
        elapsed = (moments[there] - self.times.moments[place[there]]) / MICROSECONDS
        fade = 1.0 if np.isinf(self.span) else np.exp(-elapsed / self.span)
        found[there] = self.values[place[there]] * fade
        return found


def first_moments(items: I32, moments: I64, rows: int) -> I64:
    """I64[N]: when each item first appears; the largest number for one that never does."""
    found = np.full(rows, np.iinfo(np.int64).max)
    np.minimum.at(found, items, moments)
    return found


ENTRIES = ("starts", "moments", "counts")


def load_array(folder: Path, name: str) -> Any:
    """An array of a folder, memory-mapped."""
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def save_counts(folder: Path, name: str, times: EventTimes, spans: Sequence[float]) -> None:
    """Put the decayed counts after each entry into a folder, an array for each span."""
    for number, span in enumerate(spans):
        np.save(folder / f"{name}{number}.npy", times.decayed(span))


def load_counts(
    folder: Path, name: str, times: EventTimes, spans: Sequence[float]
) -> dict[float, Counter]:
    """The counters by their spans that `save_counts` has put there."""
    return {
        span: Counter(times=times, values=load_array(folder, f"{name}{number}"), span=span)
        for number, span in enumerate(spans)
    }
