"""The distinct histories of a log: each is encoded once, wherever it occurs.

Histories are compared by their clicks, never by an id: two impressions of one user may have two
histories, two users one. Letters: M histories of the log, U distinct ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from legoc.data.indexing.log import I32, I64, Log


@dataclass(frozen=True, kw_only=True)
class Histories:
    """U distinct histories (distinct pairs of history and user where users are read), in order of
    their length."""

    log: Log
    example: I32  # [U] a history of the log that is this one
    lengths: I64  # [U] clicks of each, ascending
    row: I32  # [M] the distinct history of each history; -1 for those that no row uses

    def __len__(self) -> int:
        return len(self.example)

    def blocks(self, size: int) -> Iterator[tuple[I32, I32]]:
        """Clicks [m, S] and users [m] of at most `size` histories at a time, of like length."""
        for start in range(0, len(self), size):
            chosen = self.example[start : start + size]
            yield self.log.padded(chosen), self.log.user[chosen]


def distinct_histories(log: Log, *, by_user: bool) -> Histories:
    """The distinct histories that some row of the log uses; `by_user`: with their user."""
    used = np.unique(log.history)
    starts = np.asarray(log.starts)
    lengths = starts[used.astype(np.int64) + 1] - starts[used]
    row = np.full(log.histories, -1, dtype=np.int32)
    examples: list[I32] = []
    count = 0
    for length in np.unique(lengths):
        members = used[lengths == length]
        content = np.empty((len(members), int(length) + 1), dtype=np.int32)
        content[:, 0] = log.user[members] if by_user else 0
        content[:, 1:] = log.clicks[starts[members][:, None] + np.arange(length)]
        # One opaque value per history: sorting whole rows at once is far cheaper than by column.
        opaque = content.view(np.dtype((np.void, content.strides[0])))[:, 0]
        _, first, place = np.unique(opaque, return_index=True, return_inverse=True)
        row[members] = count + place
        examples.append(members[first])
        count += len(first)
    example = np.concatenate(examples) if examples else np.zeros(0, dtype=np.int32)
    return Histories(
        log=log,
        example=example.astype(np.int32),
        lengths=starts[example.astype(np.int64) + 1] - starts[example],
        row=row,
    )
