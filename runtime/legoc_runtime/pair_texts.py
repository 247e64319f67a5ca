"""Texts of pairs: of a model that reads the clicks and a candidate as one text, anew for each pair.

An item is a row of its tokens there, a user the rows of his clicks.

Letters: U users, S clicks, I items, L tokens of an item, P pairs, N tokens of a text.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.prompting import F32, I32, Bool, Prompt, as_rows, fixed, from_rows, to_the_left
from legoc_runtime.whole_texts import lay_whole


Places = NDArray[np.integer]

# Tokens that a model reads at once, padding included.
TOKENS_AT_ONCE = 1 << 14


def lay_pairs(
    prompt: Prompt,
    tokens_IL: I32,
    mask_IL: Bool,
    place_US: Places,
    real_US: Bool,
    owner_P: Places,
    chosen_P: Places,
) -> tuple[I32, Bool]:
    """The texts of pairs, padded with 0 on the right: ids I32[P, N] and mask Bool[P, N].

    tokens_IL, mask_IL: some items. place_US: the clicks of users as places among them, oldest
    first, where `real_US`. owner_P, chosen_P: of each pair the user and the place of the candidate.
    """
    if prompt.whole is not None:
        return lay_whole(prompt, tokens_IL, mask_IL, place_US, real_US, owner_P, chosen_P)
    begun, begun_mask = prompt.lay_users(tokens_IL, mask_IL, place_US, real_US)
    ended, ended_mask = prompt.candidates(tokens_IL[chosen_P], mask_IL[chosen_P])
    clicks, candidate = (begun[owner_P], begun_mask[owner_P]), (ended, ended_mask)
    closing = fixed(prompt.closing, np.ones(len(owner_P), dtype=bool))
    parts = (candidate, clicks, closing) if prompt.first else (clicks, candidate, closing)
    return to_the_left(
        np.concatenate([ids for ids, _ in parts], axis=1),
        np.concatenate([mask for _, mask in parts], axis=1),
    )


def pairs_of_rows(
    prompt: Prompt, users_USL: F32, mask_US: Bool, items_PL: F32, owner_P: Places
) -> tuple[I32, Bool]:
    """The same of users and candidates as `item_rows` writes them."""
    users, clicks, width = users_USL.shape
    every = np.concatenate([users_USL.reshape(users * clicks, width), items_PL])
    tokens, mask = from_rows(every)
    place_US = np.arange(users * clicks).reshape(users, clicks)
    chosen_P = users * clicks + np.arange(len(items_PL))
    return lay_pairs(
        prompt, tokens.astype(np.int32), mask, place_US, mask_US, np.asarray(owner_P), chosen_P
    )


def item_rows(prompt: Prompt, tokens_IL: I32, mask_IL: Bool) -> F32:
    """Items as rows of numbers [I, each]: their tokens, as `prompting.as_rows` writes them."""
    each = prompt.each
    return as_rows(tokens_IL[:, :each], mask_IL[:, :each], each)


def score_texts(
    ids_PN: I32, mask_PN: Bool, score: Callable[[I32, Bool, NDArray[np.intp]], Any]
) -> F32:
    """[P] scores of texts, those of like length together. score: the scores of some of them, by
    their tokens, their mask and their numbers."""
    scores = np.empty(len(ids_PN), dtype=np.float32)
    for chosen, width in like_lengths(mask_PN.sum(axis=1)):
        scores[chosen] = score(ids_PN[chosen, :width], mask_PN[chosen, :width], chosen)
    return scores


def like_lengths(lengths: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Texts of like length, as many at a time as are read at once, and the longest of them."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order):
            if (stop + 1 - start) * max(int(lengths[order[stop]]), 1) > TOKENS_AT_ONCE:
                break
            stop += 1
        yield order[start:stop], max(int(lengths[order[stop - 1]]), 1)
        start = stop
