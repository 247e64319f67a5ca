"""Clicks as they come in: what a model that reads the moment of a pair knows of every item.

A click weighs exp(-t / span) once a time t has passed. So an item has one number per span and the
moment up to which it is faded, and nothing else is kept. Training counted the same way.

Letters: N items with row 0, n numbers, P pairs.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError
from legoc_runtime.manifest import Number
from legoc_runtime.table import read_ids
from legoc_runtime.tensors import Array, parse_tensors, read_tensors


F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).max)
MICROSECONDS = 1_000_000
HOUR = 3600 * MICROSECONDS


class Counters:
    """The numbers of every item, by row. Safe to use from several threads.

    values [N, n]: clicks, faded to `moments` [N]; 0 in the columns that count none. first [N]: when
    an item was published or first seen. `NEVER` stands for what has not happened. last: the latest
    moment that is known. Moments are microseconds since 1970.
    """

    def __init__(
        self, numbers: Sequence[Number], *, values: F64, moments: I64, first: I64, last: int
    ) -> None:
        self.numbers = tuple(numbers)
        self.spans = np.array([number.span for number in numbers])
        self.counts = np.array([number.kind == "popularity" for number in numbers])
        self.values = values
        self.moments = moments
        self.first = first
        self.last = last
        self.version = 0
        self.lock = Lock()

    def __len__(self) -> int:
        return len(self.first)

    def at(self, rows: NDArray[np.integer], when: int | None = None) -> F32:
        """F32[P, n]: the numbers of some items at a moment, the latest known one unless given.

        A moment before the last click of an item does not take that click back.
        """
        with self.lock:
            moment = self.last if when is None else when
            values, moments, first = self.values[rows], self.moments[rows], self.first[rows]
        elapsed = (moment - np.minimum(moments, moment)) / MICROSECONDS
        found = values * fade(elapsed[:, None], self.spans)
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
            own, place = np.unique(rows, return_inverse=True)
            before, none = self.moments[own], self.moments[own] == NEVER
            latest = np.where(none, np.iinfo(np.int64).min, before)
            np.maximum.at(latest, place, when)
            passed = np.where(none, 0, latest - np.where(none, latest, before)) / MICROSECONDS
            values = self.values[own] * fade(passed[:, None], self.spans)
            late = (latest[place] - when) / MICROSECONDS
            np.add.at(values, place, fade(late[:, None], self.spans) * self.counts)
            self.values[own], self.moments[own] = values, latest
            np.minimum.at(self.first, rows, when)
            self.last = max(self.last, int(when.max()))
            self.version += 1

    def grow(self, rows: int, when: int | None = None) -> None:
        """Room for this many rows. What is new has no click, and is first seen at a moment: the
        latest known one unless given."""
        more = rows - len(self)
        with self.lock:
            moment = self.last if when is None else when
            self.values = np.concatenate([self.values, np.zeros((more, len(self.numbers)))])
            self.moments = np.concatenate([self.moments, np.full(more, NEVER)])
            self.first = np.concatenate([self.first, np.full(more, moment)])
            self.last = max(self.last, moment)
            self.version += 1

    def kept(self) -> dict[str, Array]:
        """A copy of all that is known, by name."""
        with self.lock:
            return {
                "values": self.values.copy(), "moments": self.moments.copy(),
                "first": self.first.copy(), "last": np.array([self.last]),
            }  # fmt: skip

    def take(self, rows: NDArray[np.integer], kept: dict[str, Array]) -> None:
        """Put what was kept of some items in the place of what is known of these rows."""
        with self.lock:
            self.values[rows], self.moments[rows] = kept["values"], kept["moments"]
            self.first[rows] = kept["first"]
            self.last = max(self.last, int(kept["last"][0]))
            self.version += 1


def fade(seconds: F64, spans: F64) -> F64:
    """What a click weighs after so long; all alike where the span is infinite."""
    return np.exp(-seconds / spans)


def verify_kept(tensors: dict[str, Array], numbers: int, rows: int) -> bool:
    """Whether tensors have the form of what counters keep of so many rows."""
    forms = {
        "values": (np.float64, (rows, numbers)), "moments": (np.int64, (rows,)),
        "first": (np.int64, (rows,)), "last": (np.int64, (1,)),
    }  # fmt: skip
    fits = all(
        name in tensors and tensors[name].dtype == kind and tensors[name].shape == shape
        for name, (kind, shape) in forms.items()
    )
    return fits and bool((np.isfinite(tensors["values"]) & (tensors["values"] >= 0)).all())


def read_counters(path: Path, numbers: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Array]]:
    """The ids of a file of counters and what it keeps of them. Raises BundleError for another file,
    and for one of other numbers."""
    help = "give a file that `items.save_counters` wrote for a model of the same `context`"
    try:
        tensors = read_tensors(path)
    except OSError as error:
        raise BundleError(f"`{path}` cannot be read ({error.strerror})", help) from None
    named = tensors.get("numbers", np.zeros(0, dtype=np.uint8)).tobytes().decode(errors="replace")
    if named.split("\n") != list(numbers):
        raise BundleError(
            f"`{path.name}` counts {', '.join(named.split()) or 'nothing'}, this model reads "
            f"{', '.join(numbers)}",
            help,
        )
    rows = len(tensors.get("first", ()))
    if not {"ids", "offsets"} <= tensors.keys() or not verify_kept(tensors, len(numbers), rows):
        raise BundleError(f"`{path.name}` does not hold the clicks of its items", help)
    return read_ids(path.name, tensors["ids"], tensors["offsets"], rows), tensors


def load_counters(bundle: Bundle) -> Counters | None:
    """The counters of a bundle as they stood at the end of its data; None where it has none."""
    context = bundle.parts.context
    if context is None or context.file is None:
        return None
    tensors = parse_tensors(bundle.read(context.file), context.file)
    if not verify_kept(tensors, len(context.numbers), bundle.parts.rows):
        raise BundleError(
            f"`{context.file}` does not hold the clicks of {bundle.parts.rows} items",
            "export the bundle again",
        )
    # What a file gives is read-only, and clicks are counted where they lie.
    return Counters(
        context.numbers, values=np.array(tensors["values"]), moments=np.array(tensors["moments"]),
        first=np.array(tensors["first"]), last=int(tensors["last"][0]),
    )  # fmt: skip
