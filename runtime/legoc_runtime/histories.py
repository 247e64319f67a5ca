"""Histories of items as tokens, for user encoders that read what the clicked items say.

Letters: U users, S clicks, L tokens of an item.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


I32 = NDArray[np.int32]

# Attention compares every token of a history with every other: pairs of tokens per call and head.
TOKEN_PAIRS_AT_ONCE = 1 << 22


class Inputs(Protocol):
    """What is read of items, by rows: `tokens` I32[I, L] and `tokens_mask` Bool[I, L] among it."""

    @property
    def lengths(self) -> I32: ...

    def rows(self, items: I32) -> Mapping[str, NDArray[Any]]: ...


@dataclass(frozen=True, kw_only=True)
class TokenRows:
    """The tokens of items: ids I32[N, L], zero at padding, and lengths I32[N]."""

    tokens: I32
    lengths: I32

    def rows(self, items: I32) -> Mapping[str, NDArray[Any]]:
        """`tokens` I32[I, L] and `tokens_mask` Bool[I, L] of some rows, cut to the longest."""
        real = self.lengths[items]
        width = max(int(real.max(initial=0)), 1)
        mask = np.arange(width) < real[:, None]
        return {"tokens": self.tokens[items, :width], "tokens_mask": mask}

    def with_rows(self, count: int, places: Sequence[int], given: "TokenRows") -> "TokenRows":
        """A table of `count` rows: these, and at `places` those given instead."""
        old, wide = len(self.tokens), max(self.tokens.shape[1], given.tokens.shape[1])
        tokens = np.zeros((count, wide), dtype=np.int32)
        lengths = np.zeros(count, dtype=np.int32)
        tokens[:old, : self.tokens.shape[1]] = self.tokens
        lengths[:old] = self.lengths
        tokens[places] = 0
        tokens[places, : given.tokens.shape[1]] = given.tokens
        lengths[places] = given.lengths
        return TokenRows(tokens=tokens, lengths=lengths)


def gather_tokens(inputs: Inputs, clicks: I32) -> dict[str, NDArray[Any]]:
    """`tokens` I32[U, S, L] and `tokens_mask` Bool[U, S, L] of click rows [U, S], 0 at padding."""
    distinct, place = np.unique(clicks, return_inverse=True)
    found = inputs.rows(distinct.astype(np.int32))
    place = place.reshape(clicks.shape)
    mask = found["tokens_mask"][place] & (clicks > 0)[..., None]
    return {"tokens": found["tokens"][place], "tokens_mask": mask}


def histories_at_once(clicks: I32, inputs: Inputs) -> Iterator[slice]:
    """Parts of a block of click rows [U, S] small enough to be attended to at once."""
    longest = int(inputs.lengths[clicks].max(initial=1)) + 1
    step = max(1, TOKEN_PAIRS_AT_ONCE // max(clicks.shape[1] * longest, 1) ** 2)
    for start in range(0, len(clicks), step):
        yield slice(start, start + step)
