"""What is known of an item at the moment it is offered: the numbers of `data { context = [...] }`.

Every number is of what happened strictly before that moment. Clicks and showings count at their
own moments, those of validation and test included, for an application would have seen them too;
candidates that were drawn, items that were made up and rows without labels are neither.

Letters: N items with row 0, n numbers, Q questions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.indexing.counters import (
    F64,
    MICROSECONDS,
    Counter,
    EventTimes,
    load_array,
    load_counts,
    save_counts,
)
from legoc.data.indexing.log import F32, I32, I64, Moments
from legoc.data.indexing.shares import Showings, build_showings
from legoc.data.indexing.sightings import read_moments, read_times
from legoc.data.indexing.tables import Tables
from legoc.language.declaring.declare import Excludes, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress


# Raise when the counters of the same tables would differ from those an older version wrote.
VERSION = 1

HOUR, DAY = 3600, 86_400
NEVER = int(np.iinfo(np.int64).max)


@operator("context", "popularity")
class Popularity:
    """How often everybody clicked the item, strictly before the moment.

    With `hours` or `days` an older click weighs less: exp(-t / span) once a time t has passed, so
    that an application keeps one number and one moment for an item. Without, all clicks so far.
    """

    class Config:
        hours: float | None = param(
            None, above=0, doc="after so many hours a click weighs 1 / e; none: no fading by hours"
        )
        days: float | None = param(None, above=0, doc="the same in days")

    rules = (Excludes("hours", "days"),)
    example = "data base {\n  context = [popularity(hours=24), popularity]\n}"


@operator("context", "age")
class Age:
    """Hours since the item was published or first seen in the log, whichever was earlier.

    An item that was not yet there has age 0.
    """

    example = "data base {\n  context = [popularity(days=7), age]\n}"


def span_of(call: Call) -> float | None:
    """Seconds after which a click or a showing weighs 1 / e, infinite for all alike; None for what
    counts neither."""
    if call.op == "age":
        return None
    hours, days = call.args.get("hours"), call.args.get("days")
    return hours * HOUR if hours is not None else days * DAY if days is not None else math.inf


def name_of(call: Call) -> str:
    """A number as one writes it, without the decimals of whole hours and days."""
    given = [(name, value) for name, value in call.args.items() if value is not None]
    args = [f"{name}={int(v) if v == int(v) else v}" for name, v in given]
    return f"{call.op}({', '.join(args)})" if args else call.op


@dataclass(frozen=True, kw_only=True)
class Context:
    """The numbers of any item at any moment; the arrays may be memory-mapped.

    names: as they are written, in the order of the spec; kinds: the operators of them. counters:
    clicks by span. showings: where a number is a share. first: microseconds at which each item was
    published or first seen, `NEVER` for one that was not. last: the latest moment of the log;
    clock: the unit of its times where they count from a beginning of their own.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    spans: tuple[float | None, ...]
    times: EventTimes
    counters: Mapping[float, Counter]
    showings: Showings | None = None
    first: I64
    last: int
    clock: str | None = None

    def at(self, items: I32, moments: I64) -> F32:
        """F32[Q, n]: the numbers of some items, each strictly before a moment."""
        found = np.zeros((len(items), len(self.names)), dtype=np.float32)
        place = self.times.before(items, moments)
        shown = None if self.showings is None else self.showings.times.before(items, moments)
        for column, (kind, span) in enumerate(zip(self.kinds, self.spans, strict=True)):
            if span is None:
                since = np.maximum(moments - np.minimum(self.first[items], moments), 0)
                found[:, column] = since / (HOUR * MICROSECONDS)
            elif kind == "popularity":
                found[:, column] = self.counters[span].at_places(place, moments)
            elif self.showings is not None and shown is not None:
                found[:, column] = self.showings.at_places(shown, moments, span)
        return found

    def standing(self) -> "Standing":
        """What an application goes on from."""
        ends = self.times.ends()
        moments = self.times.moments_at(ends)
        shown = np.full(len(ends), -1)
        if self.showings is not None:
            shown = self.showings.times.ends()
            moments = np.maximum(moments, self.showings.times.moments_at(shown))
        values, showings = np.zeros((len(ends), len(self.names))), []
        for column, (kind, span) in enumerate(zip(self.kinds, self.spans, strict=True)):
            if span is not None and kind == "popularity":
                values[:, column] = self.counters[span].at_places(ends, moments)
            elif span is not None and self.showings is not None:
                values[:, column] = self.showings.clicked[span].at_places(shown, moments)
                showings.append(self.showings.shown[span].at_places(shown, moments))
        return Standing(
            values=values,
            showings=np.stack(showings, axis=1) if showings else None,
            moments=np.where(np.maximum(ends, shown) < 0, NEVER, moments),
        )

    @property
    def bytes(self) -> int:
        """What the counters hold."""
        arrays = [self.first, self.times.starts, self.times.moments, self.times.counts]
        arrays += [counter.values for counter in self.counters.values()]
        more = 0 if self.showings is None else self.showings.bytes
        return sum(array.nbytes for array in arrays) + more


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of every item at the end of the data.

    values F64[N, n]: clicks, of a share those where the item was shown; 0 in a column that counts
    none. showings F64[N, s]: of the s shares, None without any. All are faded to moments I64[N],
    the last one at which an item was clicked or shown, `NEVER` where it was not.
    """

    values: F64
    showings: F64 | None
    moments: I64


@dataclass(frozen=True, kw_only=True)
class Renumbered:
    """The numbers of some of the items: item i is row `origin[i]` of those of `inner`."""

    inner: Moments
    origin: I32

    def at(self, items: I32, moments: I64) -> F32:
        return self.inner.at(self.origin[items], moments)


def build_context(
    tables: Tables, calls: Sequence[Call], items: int, root: Path, progress: Progress = SILENT
) -> Context | None:
    """The numbers that a spec names, from the cache or counted now; None where it names none.

    items: N. Raises E0631 for a log without times, E0632 for shares of a log that shows nothing.
    """
    if not calls:
        return None
    verify_times(tables, calls)
    kinds, names = tuple(call.op for call in calls), tuple(name_of(call) for call in calls)
    spans = tuple(span_of(call) for call in calls)
    told = list(zip(kinds, names, spans, strict=True))
    shares = {name: span for kind, name, span in told if kind == "share" and span is not None}
    showings = build_showings(tables, shares, items, root, progress)
    distinct = sorted({span for kind, _, span in told if kind == "popularity" and span is not None})
    key = digest([VERSION, tables.digest, items, [str(span) for span in distinct]])

    def make(staging: Path) -> dict[str, Any]:
        progress.say("counting clicks")
        clicked, first = read_moments(tables.folder, items)
        times = EventTimes.of(*clicked, items)
        times.save(staging)
        save_counts(staging, "span", times, distinct)
        np.save(staging / "first.npy", first)
        return {"last": int(read_times(tables.folder).max(initial=0))}

    folder, facts = obtain(root / "counters" / key[:32], make)
    times = EventTimes.load(folder)
    return Context(
        names=names, kinds=kinds, spans=spans, times=times, showings=showings,
        counters=load_counts(folder, "span", times, distinct),
        first=load_array(folder, "first"), last=facts["last"], clock=tables.report.clock,
    )  # fmt: skip


ORDERS = {
    "list": "the order of each user's list, and no times",
    "file": "the order of the rows of its files, and no times",
}


def verify_times(tables: Tables, calls: Sequence[Call]) -> None:
    """E0631 where what stands for a time is a position: nothing was clicked within an hour of
    it."""
    report = tables.report
    if report.order == "time":
        return
    named = ", ".join(f"`{name_of(call)}`" for call in calls)
    verb = "needs" if len(calls) == 1 else "need"
    raise fail(
        "E0631",
        f"{named} {verb} times, and these files of {report.source} have {ORDERS[report.order]}",
        "leave `context` out, or give files with times"
        + (": a column `time` beside the clicks" if report.source == "Tables" else ""),
    )
