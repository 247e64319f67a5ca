"""Histories of items as tokens, for user encoders that read what the clicked items say.

Letters: U users, S clicks, L tokens of an item.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import Blocks


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
        return cut(self.tokens[items], self.lengths[items])


@dataclass(frozen=True, kw_only=True)
class TokenBlocks:
    """The same of a catalogue that grows."""

    tokens: Blocks
    longest: Blocks

    @staticmethod
    def of(rows: TokenRows) -> "TokenBlocks":
        return TokenBlocks(tokens=Blocks.of(rows.tokens), longest=Blocks.of(rows.lengths))

    @property
    def lengths(self) -> Blocks:
        return self.longest

    def rows(self, items: I32) -> Mapping[str, NDArray[Any]]:
        """What `TokenRows.rows` gives."""
        return cut(self.tokens[items], self.longest[items])

    def extended(self, given: TokenRows) -> "TokenBlocks":
        """With more rows behind; see `Blocks.extended`."""
        tokens, given_tokens = self.fitted(given)
        return TokenBlocks(
            tokens=tokens.extended(given_tokens), longest=self.longest.extended(given.lengths)
        )

    def replaced(self, rows: NDArray[np.integer], given: TokenRows) -> "TokenBlocks":
        """With other contents of some rows."""
        tokens, given_tokens = self.fitted(given)
        return TokenBlocks(
            tokens=tokens.replaced(rows, given_tokens),
            longest=self.longest.replaced(rows, given.lengths),
        )

    def fitted(self, given: TokenRows) -> tuple[Blocks, I32]:
        """Both as wide as the wider one."""
        wide = max(self.tokens.shape[1], given.tokens.shape[1])
        more = wide - given.tokens.shape[1]
        return self.tokens.widened(wide), np.pad(given.tokens, ((0, 0), (0, more)))


def cut(tokens: I32, lengths: I32) -> Mapping[str, NDArray[Any]]:
    """`tokens` [I, L] and `tokens_mask` [I, L], cut to the longest of the lengths [I]."""
    width = max(int(lengths.max(initial=0)), 1)
    return {"tokens": tokens[:, :width], "tokens_mask": np.arange(width) < lengths[:, None]}


def gather_tokens(inputs: Inputs | TokenBlocks, clicks: I32) -> dict[str, NDArray[Any]]:
    """`tokens` I32[U, S, L] and `tokens_mask` Bool[U, S, L] of click rows [U, S], 0 at padding."""
    distinct, place = np.unique(clicks, return_inverse=True)
    found = inputs.rows(distinct.astype(np.int32))
    place = place.reshape(clicks.shape)
    mask = found["tokens_mask"][place] & (clicks > 0)[..., None]
    return {"tokens": found["tokens"][place], "tokens_mask": mask}


def histories_at_once(
    clicks: I32, inputs: Inputs | TokenBlocks, *, each: int = 1, more: int = 0
) -> Iterator[slice]:
    """Parts of a block of click rows [U, S] small enough to be attended to at once; `each` are the
    tokens that stand beside those of a click, `more` those before all of them."""
    longest = int(inputs.lengths[clicks].max(initial=1)) + each
    step = max(1, TOKEN_PAIRS_AT_ONCE // max(clicks.shape[1] * longest + more, 1) ** 2)
    for start in range(0, len(clicks), step):
        yield slice(start, start + step)
