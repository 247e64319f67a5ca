"""One split of a data set as indices."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


class Moments(Protocol):
    """What is known of items at a moment (`context.Context`)."""

    def at(self, items: I32, moments: I64) -> F32:
        """F32[Q, n]: the numbers of items[q], strictly before moments[q]."""
        ...


def no_moments() -> I64:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Log:
    """Histories and labelled rows of one split; the arrays may be memory-mapped.

    T clicks in all, M histories, R rows. Items are rows of the item table (0 is padding and never
    occurs), users rows of the user table (0 is the unknown user).
    """

    clicks: I32  # [T] histories end to end: the newest `history` clicks of each, oldest first
    starts: I64  # [M + 1] where each history begins in `clicks`
    user: I32  # [M] the user of each history
    history: I32  # [R] the history of each row
    item: I32  # [R] the candidate
    label: F32  # [R] NaN where there is none (`predict`)
    group: I32  # [R] the impression or user it is ranked with, 0 ... G - 1, adjacent rows
    moment: I64 = field(default_factory=no_moments)  # [R] microseconds of its impression
    context: Moments | None = None  # what `data { context = [...] }` asks for

    @property
    def rows(self) -> int:
        return len(self.item)

    @property
    def histories(self) -> int:
        return len(self.user)

    def numbers(self, rows: slice) -> F32 | None:
        """F32[r, n]: the context of some rows, each at its moment; None where there is none."""
        if self.context is None:
            return None
        return self.context.at(self.item[rows], self.moment[rows])

    def padded(self, histories: I32, length: int | None = None) -> I32:
        """The clicks of some histories as [B, S], oldest first, padded with 0 on the right.

        S is the longest of them, at least 1; with `length`, that many of the newest are kept.
        """
        starts = self.starts[histories]
        ends = self.starts[np.asarray(histories, dtype=np.int64) + 1]
        if length is not None:
            starts = np.maximum(starts, ends - length)
        counts = ends - starts
        width = max(int(counts.max(initial=0)), 1)
        slot = np.arange(width)
        real = slot < counts[:, None]
        # A clipped gather reads any row at the padding; the mask then clears it.
        place = np.minimum(starts[:, None] + slot, max(len(self.clicks) - 1, 0))
        if not len(self.clicks):
            return np.zeros((len(starts), width), dtype=np.int32)
        return np.where(real, self.clicks[place], 0).astype(np.int32)
