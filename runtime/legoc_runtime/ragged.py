"""Rows of unequal length: flat values with a length per row, padded or laid end to end at once.

Letters: I rows, T values in all, L longest row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray


I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """I rows of ids, end to end."""

    values: I32  # [T]
    lengths: I64  # [I]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Ragged":
        """Rows given as lists of ids."""
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        flat = chain.from_iterable(rows)
        values = np.fromiter(flat, dtype=np.int32, count=int(lengths.sum()))
        return cls(values=values, lengths=lengths)

    def pad(self, padding: int) -> I32:
        """[I, L], padded on the right; L is the longest row, at least 1."""
        width = max(int(self.lengths.max(initial=0)), 1)
        padded = np.full((len(self.lengths), width), padding, dtype=np.int32)
        padded[np.arange(width) < self.lengths[:, None]] = self.values
        return padded

    def ended(self, value: int) -> "Ragged":
        """The same with `value` after every row that is not empty."""
        real = (self.lengths > 0).astype(np.int64)
        end = Ragged(values=np.full(int(real.sum()), value, dtype=np.int32), lengths=real)
        return lay([self, end])


def lay(parts: Iterable[Ragged]) -> Ragged:
    """The rows of several parts end to end: row i is row i of each part in order, without gaps."""
    kept = list(parts)
    lengths = np.stack([part.lengths for part in kept]).sum(axis=0)
    place = np.cumsum(lengths) - lengths
    values = np.empty(int(lengths.sum()), dtype=np.int32)
    for part in kept:
        before = np.cumsum(part.lengths) - part.lengths
        within = np.arange(len(part.values)) - np.repeat(before, part.lengths)
        values[np.repeat(place, part.lengths) + within] = part.values
        place = place + part.lengths
    return Ragged(values=values, lengths=lengths)
