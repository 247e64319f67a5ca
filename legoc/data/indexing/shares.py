"""How often an item was clicked when it was shown: the number `share` of `data { context }`.

Only rows of the log that have a label are showings, clicks among them. A candidate that was drawn
was shown to nobody, and of a click that a history remembers nobody knows what was shown with it.

Letters: N items with row 0, Q questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.indexing.counters import F64, Counter, EventTimes, load_counts, save_counts
from legoc.data.indexing.log import I64
from legoc.data.indexing.sightings import Shown, read_overall, read_showings
from legoc.data.indexing.tables import Tables
from legoc.language.declaring.declare import Excludes, operator, param
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import SILENT, Progress


# Raise when the counters of the same tables would differ from those an older version wrote.
VERSION = 1

# The overall share weighs as much as so many showings: an item that was seldom shown stays near it.
WEIGHT = 10


@operator("context", "share")
class Share:
    """Of the times the item was shown strictly before the moment, the share that was clicked.

    (C + 10 m) / (S + 10) of S showings and C clicks among them, where m is the overall share of the
    training rows, so an item that was never shown has m. With `hours` or `days` an older showing
    weighs less: exp(-t / span) once a time t has passed. Rows of the log show; candidates that were
    drawn do not, so a log of clicks alone has no shares.
    """

    class Config:
        hours: float | None = param(
            None, above=0, doc="after so many hours a showing weighs 1 / e; none: no fading"
        )
        days: float | None = param(None, above=0, doc="the same in days")

    rules = (Excludes("hours", "days"),)
    example = "data base {\n  context = [share(days=7), popularity(hours=24)]\n}"


@dataclass(frozen=True, kw_only=True)
class Showings:
    """How often each item was shown, and clicked where it was shown; the arrays may be
    memory-mapped.

    shown, clicked: by span, counters over the same `times`. overall: the share of the training
    rows that are clicks.
    """

    times: EventTimes
    shown: Mapping[float, Counter]
    clicked: Mapping[float, Counter]
    overall: float

    @staticmethod
    def of(
        shown: EventTimes, clicked: EventTimes, spans: Sequence[float], overall: float
    ) -> "Showings":
        """Showings and clicks at the same moments; a moment of the one is a moment of the other."""
        return Showings(
            times=shown,
            shown={span: Counter.of(shown, span) for span in spans},
            clicked={span: Counter.of(clicked, span) for span in spans},
            overall=overall,
        )

    def at_places(self, place: I64, moments: I64, span: float) -> F64:
        """F64[Q]: the shares strictly before moments; place: the last entries before them."""
        clicked = self.clicked[span].at_places(place, moments)
        shown = self.shown[span].at_places(place, moments)
        return (clicked + WEIGHT * self.overall) / (shown + WEIGHT)

    @property
    def bytes(self) -> int:
        """What the counters hold."""
        counters = [*self.shown.values(), *self.clicked.values()]
        arrays = [self.times.starts, self.times.moments, *(c.values for c in counters)]
        return sum(array.nbytes for array in arrays)


def build_showings(
    tables: Tables, names: Mapping[str, float], items: int, root: Path, progress: Progress = SILENT
) -> Showings | None:
    """The showings of a log, from the cache or counted now; None where no number needs them.

    names: the shares as one writes them, with their spans. items: N. Raises E0632 for a log that
    shows nothing.
    """
    if not names:
        return None
    spans = sorted(set(names.values()))
    key = digest([VERSION, "showings", tables.digest, items, [str(span) for span in spans]])

    def make(staging: Path) -> dict[str, Any]:
        progress.say("counting showings")
        found = read_showings(tables.folder)
        verify_showings(found, tables, names)
        shown, clicked = (
            EventTimes.of(found.items, found.moments, events, items)
            for events in (found.showings, found.clicks)
        )
        shown.save(staging)
        save_counts(staging, "shown", shown, spans)
        save_counts(staging, "clicked", clicked, spans)
        return {"overall": read_overall(tables.folder)}

    folder, facts = obtain(root / "counters" / key[:32], make)
    times = EventTimes.load(folder)
    return Showings(
        times=times,
        shown=load_counts(folder, "shown", times, spans),
        clicked=load_counts(folder, "clicked", times, spans),
        overall=facts["overall"],
    )


def verify_showings(shown: Shown, tables: Tables, names: Mapping[str, float]) -> None:
    """E0632 where all showings end alike, so that every share says the same of every item."""
    clicks = int(shown.clicks.sum(dtype=np.int64))
    if not clicks or clicks == int(shown.showings.sum(dtype=np.int64)):
        raise says_nothing(tables, names, unclicked=bool(len(shown.items)) and not clicks)


def says_nothing(tables: Tables, names: Mapping[str, float], *, unclicked: bool) -> LegoError:
    """unclicked: whether the log has showings, and no click among them."""
    named = ", ".join(f"`{name}`" for name in names) + (" needs" if len(names) == 1 else " need")
    instead = ", ".join(f"`{name.replace('share', 'popularity', 1)}`" for name in names)
    source = tables.report.source
    if unclicked:
        return fail(
            "E0632",
            f"{named} clicks among what was shown, and no row of {source} is one",
            "leave it out, or name the column that says what was clicked",
        )
    drawn = tables.report.candidates == "drawn"
    return fail(
        "E0632",
        f"{named} what was shown and not clicked, and every row of {source} is a click"
        + (": the non-clicks of valid and test are drawn" if drawn else ""),
        f"write {instead}, which counts clicks alone",
    )
