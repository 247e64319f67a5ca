"""Prompts of a language model that reads a history and a candidate as one text.

A prompt is made of segments, each tokenised by itself, so that what belongs to the user and what
belongs to the candidate join exactly: `before`, then of each kept click its number, what it says
and `between`, then `candidate`, what the candidate says and `after`.

Letters: U users, S clicks, L tokens of an item, N tokens of a user's part, T of a candidate's,
I any number of items.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.histories import Inputs, TokenBlocks, gather_tokens, histories_at_once
from legoc_runtime.whole_texts import Whole


F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """The segments of a prompt as token ids.

    numbers: what stands before the first, second, ... kept click. each: the most tokens of an item.
    limit: the most tokens of a whole prompt. joined: the candidate's part follows the user's in one
    text; where it does not, the two are texts of their own. first: the candidate's part leads.
    closing: what ends the text of a pair. whole: the same as text, where a text is tokenised at
    once and not by segments.
    """

    before: tuple[int, ...]
    numbers: tuple[tuple[int, ...], ...]
    between: tuple[int, ...]
    candidate: tuple[int, ...]
    after: tuple[int, ...]
    each: int
    limit: int
    joined: bool
    first: bool = False
    closing: tuple[int, ...] = ()
    whole: Whole | None = None

    @staticmethod
    def of(value: Mapping[str, Any], tokenizer: Any = None) -> "Prompt":
        """The prompt that a reading describes. tokenizer: that of the model, which a prompt that is
        tokenised whole needs to lay out texts."""
        texts = value.get("whole")
        return Prompt(
            before=tuple(value["before"]),
            numbers=tuple(tuple(ids) for ids in value["numbers"]),
            between=tuple(value["between"]),
            candidate=tuple(value["candidate"]),
            after=tuple(value["after"]),
            each=int(value["each"]),
            limit=int(value["limit"]),
            joined=bool(value["joined"]),
            first=bool(value.get("first", False)),
            closing=tuple(value.get("closing", ())),
            whole=None if texts is None or tokenizer is None else Whole.of(texts, tokenizer),
        )

    @property
    def tail(self) -> int:
        """The most tokens of a candidate's part."""
        return len(self.candidate) + self.each + len(self.after)

    @property
    def room(self) -> int:
        """The most tokens of a user's part, whatever the candidate: what is computed of a user
        serves all candidates, so it cannot depend on how long one of them is."""
        return self.limit - self.tail - len(self.closing) if self.joined else self.limit

    @property
    def longest(self) -> int:
        """The most tokens of a user's part."""
        clicks = sum(map(len, self.numbers)) + len(self.numbers) * (self.each + len(self.between))
        return min(len(self.before) + clicks, self.room)

    @property
    def most(self) -> int:
        """The most tokens of the text of a pair."""
        return self.longest + self.tail + len(self.closing)

    def users(self, inputs: Inputs | TokenBlocks, clicks: I32) -> tuple[I32, Bool]:
        """The users' parts of click rows [U, S], padded with 0 on the right: ids I32[U, N] and mask
        Bool[U, N], padded on the right, or where candidates follow on the left, so that there is no
        gap.

        The newest clicks that fit are kept, oldest first, and counted from 1.
        """
        clicks = np.asarray(clicks, dtype=np.int32)
        distinct, place = np.unique(clicks, return_inverse=True)
        given = inputs.rows(distinct.astype(np.int32))
        tokens = np.asarray(given["tokens"])[:, : self.each]
        mask = np.asarray(given["tokens_mask"])[:, : self.each]
        return self.lay_users(tokens, mask, place.reshape(clicks.shape), clicks > 0)

    def lay_users(
        self, tokens_IL: I32, mask_IL: Bool, place_US: NDArray[np.integer], real_US: Bool
    ) -> tuple[I32, Bool]:
        """The same of clicks that are given as places among some items."""
        if not real_US.shape[1]:
            place_US = np.zeros((len(place_US), 1), dtype=np.int64)
            real_US = np.zeros(place_US.shape, dtype=bool)
        lengths_US = np.where(real_US, mask_IL.sum(axis=1)[place_US], 0)
        number_US = self.count(lengths_US, real_US)
        kept_US = number_US > 0
        wide = max(map(len, self.numbers), default=0)
        digits = padded(self.numbers, wide)
        parts = [
            (digits[0][number_US - 1], digits[1][number_US - 1] & kept_US[..., None]),
            (tokens_IL[place_US], mask_IL[place_US] & kept_US[..., None]),
            fixed(self.between, kept_US),
        ]
        every = np.concatenate([ids for ids, _ in parts], axis=2).reshape(len(place_US), -1)
        real = np.concatenate([mask for _, mask in parts], axis=2).reshape(len(place_US), -1)
        head, open_ = fixed(self.before, np.ones(len(place_US), dtype=bool))
        settle = to_the_right if self.joined else to_the_left
        return settle(np.concatenate([head, every], axis=1), np.concatenate([open_, real], axis=1))

    def count(self, lengths_US: NDArray[np.integer], real_US: Bool) -> NDArray[np.int64]:
        """[U, S]: the number that each click has in the prompt, 0 for those that are left out."""
        clicks_U = real_US.sum(axis=1)
        heads = np.array([0, *map(len, self.numbers)]).cumsum()
        cost_US = np.where(real_US, lengths_US + len(self.between), 0)
        kept_U = np.zeros(len(clicks_U), dtype=np.int64)
        room = self.room - len(self.before)
        newest_US = cost_US[:, ::-1].cumsum(axis=1)
        padding_U = real_US.shape[1] - clicks_U
        rows = np.arange(len(clicks_U))
        for count in range(1, min(real_US.shape[1], len(self.numbers)) + 1):
            column = np.minimum(padding_U + count - 1, real_US.shape[1] - 1)
            fits = (count <= clicks_U) & (newest_US[rows, column] + heads[count] <= room)
            kept_U[fits] = count
        first_U = clicks_U - kept_U
        number_US = np.arange(real_US.shape[1]) - first_U[:, None] + 1
        return np.where(real_US & (number_US > 0), number_US, 0)

    def candidates(self, tokens_IL: I32, mask_IL: Bool) -> tuple[I32, Bool]:
        """The candidates' parts of items: ids I32[I, T] and mask Bool[I, T], padded on the right.
        An item that says nothing has its frame."""
        every = np.ones(len(tokens_IL), dtype=bool)
        head, body, tail = (
            fixed(self.candidate, every),
            (tokens_IL[:, : self.each], mask_IL[:, : self.each]),
            fixed(self.after, every),
        )
        ids = np.concatenate([head[0], body[0], tail[0]], axis=1)
        return to_the_left(ids, np.concatenate([head[1], body[1], tail[1]], axis=1))


def gather_texts(
    prompt: Prompt | None, inputs: Inputs | TokenBlocks, clicks: I32
) -> dict[str, NDArray[Any]]:
    """What a flatten stage reads of click rows [U, S]: `tokens` and `tokens_mask`, those of the
    clicks [U, S, L], or of a language model the users' texts [U, N]."""
    if prompt is None:
        return gather_tokens(inputs, clicks)
    ids, mask = prompt.users(inputs, clicks)
    return {"tokens": ids, "tokens_mask": mask}


def texts_at_once(
    prompt: Prompt | None, inputs: Inputs | TokenBlocks, clicks: I32
) -> Iterator[slice]:
    """Parts of a block of click rows small enough to be attended to at once."""
    if prompt is None:
        return histories_at_once(clicks, inputs)
    beside = len(prompt.between) + max(map(len, prompt.numbers), default=0)
    return histories_at_once(clicks, inputs, each=beside, more=len(prompt.before))


def fixed(ids: Sequence[int], where: Bool) -> tuple[I32, Bool]:
    """The same ids wherever `where` [...] is true: [..., n] and their mask."""
    given = np.broadcast_to(np.array(ids, dtype=np.int32), (*where.shape, len(ids)))
    return given, np.broadcast_to(where[..., None], given.shape)


def padded(rows: Sequence[Sequence[int]], width: int) -> tuple[I32, Bool]:
    """Ids of unlike length as one matrix, padded on the right, and its mask."""
    ids = np.zeros((max(len(rows), 1), width), dtype=np.int32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    lengths = np.array([len(row) for row in rows] or [0])
    return ids, np.arange(width) < lengths[:, None]


def to_the_left(ids: I32, mask: Bool) -> tuple[I32, Bool]:
    """The real ids of each row without gaps, padding behind them; at least one position."""
    lengths = mask.sum(axis=1)
    width = max(int(lengths.max(initial=0)), 1)
    real = np.arange(width) < lengths[:, None]
    return place_ids(ids, mask, real), real


def to_the_right(ids: I32, mask: Bool) -> tuple[I32, Bool]:
    """The real ids of each row without gaps, padding before them; at least one position."""
    lengths = mask.sum(axis=1)
    width = max(int(lengths.max(initial=0)), 1)
    real = np.arange(width) >= width - lengths[:, None]
    return place_ids(ids, mask, real), real


def place_ids(ids: I32, mask: Bool, real: Bool) -> I32:
    """The ids where `mask` is, in their order, at the places where `real` is; 0 elsewhere."""
    placed = np.zeros(real.shape, dtype=np.int32)
    placed[real] = ids[mask]
    return placed


def as_rows(ids: I32, mask: Bool, width: int) -> F32:
    """Candidates' parts as rows of numbers [I, width]: each id plus one, 0 at padding. float32 is
    exact for whole numbers up to 16 million."""
    rows = np.zeros((len(ids), width), dtype=np.float32)
    rows[:, : ids.shape[1]] = np.where(mask, ids + 1, 0)
    return rows


def from_rows(rows: F32) -> tuple[NDArray[np.int64], Bool]:
    """What `as_rows` was given, cut to the longest of these rows; at least one position."""
    mask = rows > 0
    width = max(int(mask.sum(axis=1).max(initial=0)), 1)
    mask = mask[:, :width]
    return np.where(mask, rows[:, :width].astype(np.int64) - 1, 0), mask
