"""A growing array in blocks, as a value: what was handed out never changes.

A writer puts new rows behind the last one and hands out a new value; older values end before them.
Other contents of a row are written into a copy of its block. So readers need no lock, and neither
adding nor changing a row copies more than a block.

Letters: N rows, P chosen rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


Array = NDArray[Any]

SHIFT = 14
ROWS = 1 << SHIFT
# A product over whole groups of rows: the last ones of a matrix go other ways through BLAS, and two
# rows that are alike would differ by rounding.
GROUP = 16
FEW = 64


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """[N, ...]: `parts` of `ROWS` rows each, of which the first `count` in all are there."""

    parts: tuple[Array, ...]
    count: int

    @staticmethod
    def of(array: Array) -> "Blocks":
        """The rows of an array, which is not copied but for the end."""
        parts = [array[start : start + ROWS] for start in range(0, len(array), ROWS)]
        if not parts or len(parts[-1]) < ROWS:
            last = np.zeros((ROWS, *array.shape[1:]), dtype=array.dtype)
            if parts:
                last[: len(parts[-1])] = parts[-1]
            parts[-1:] = [last]
        return Blocks(parts=tuple(parts), count=len(array))

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count, *self.parts[0].shape[1:])

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> Array:
        """[..., *] of some rows, each at least 0, as those of one array. Raises IndexError for a
        row that is not there."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(self.count))
        flat = np.asarray(rows).ravel()
        if flat.size and not 0 <= int(flat.min()) <= int(flat.max()) < self.count:
            raise IndexError(f"rows {flat.min()} to {flat.max()} of {self.count}")
        if len(self.parts) == 1:
            return self.parts[0][rows]
        found = np.empty((len(flat), *self.shape[1:]), dtype=self.parts[0].dtype)
        if len(flat) <= FEW:
            for place, row in enumerate(flat.tolist()):
                found[place] = self.parts[row >> SHIFT][row & ROWS - 1]
        else:
            for number, places in grouped(flat):
                found[places] = self.parts[number][flat[places] & ROWS - 1]
        return found.reshape(*np.shape(rows), *self.shape[1:])

    def each(self) -> Iterator[Array]:
        """The blocks, one after the other, without the room at the end."""
        for number, part in enumerate(self.parts):
            size = min(ROWS, self.count - number * ROWS)
            if size > 0:
                yield part[:size]

    def whole(self) -> Array:
        """A copy in one piece."""
        return np.concatenate([self.parts[0][:0], *self.each()])

    def extended(self, values: Array) -> "Blocks":
        """With more rows behind. For one writer at a time, of the newest value alone: the room at
        the end is shared."""
        parts, count, given = list(self.parts), self.count, 0
        while given < len(values):
            number, start = divmod(count, ROWS)
            if number == len(parts):
                parts.append(np.zeros((ROWS, *self.shape[1:]), dtype=parts[0].dtype))
            size = min(ROWS - start, len(values) - given)
            parts[number][start : start + size] = values[given : given + size]
            count, given = count + size, given + size
        return Blocks(parts=tuple(parts), count=count)

    def replaced(self, rows: NDArray[np.integer], values: Array) -> "Blocks":
        """With other contents of some rows [P], in copies of their blocks."""
        parts = list(self.parts)
        for number, places in grouped(rows):
            parts[number] = parts[number].copy()
            parts[number][rows[places] & ROWS - 1] = values[places]
        return Blocks(parts=tuple(parts), count=self.count)

    def widened(self, width: int) -> "Blocks":
        """[N, width] of [N, W], zeros behind."""
        more = width - self.shape[1]
        if more <= 0:
            return self
        parts = tuple(np.pad(part, ((0, 0), (0, more))) for part in self.parts)
        return Blocks(parts=parts, count=self.count)

    def product(self, number: int, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inner products of the rows of a block [n, D] with a vector [D]."""
        size = min(ROWS, self.count - number * ROWS)
        return (self.parts[number][: -(-size // GROUP) * GROUP] @ vector)[:size]


def product(matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """[P] of [P, D] and [D], each the number that `Blocks.product` gives of the same row."""
    more = -len(matrix) % GROUP
    if more:
        matrix = np.concatenate([matrix, np.zeros((more, matrix.shape[1]), matrix.dtype)])
    return (matrix @ vector)[: len(matrix) - more]


def grouped(rows: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The blocks of some rows [P], and which of the rows lie in each."""
    if not len(rows):
        return
    numbers = rows >> SHIFT
    order = np.argsort(numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    for places in np.split(order, cuts):
        yield int(numbers[places[0]]), places


def offsets(rows: NDArray[np.integer], count: int) -> Sequence[NDArray[np.integer]]:
    """Rows that ascend, cut into the blocks of a table of so many, each counted from its start."""
    starts = np.arange(0, count, ROWS)
    cuts = np.searchsorted(rows, starts[1:])
    parts = np.split(rows, cuts)
    return [part - start for part, start in zip(parts, starts, strict=True)]
