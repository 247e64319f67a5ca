"""The nearest neighbours of items by the users who clicked both, in blocks of bounded memory.

Letters: N rows of the item table, E clicks (each user's items once), K neighbours, B items of a
block.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64, Log


# Counters of a block: B x N of them are held at once.
COUNTERS = 4 << 20
# Steps in all: a user with n items costs n².
STEPS = 200_000_000


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """E pairs of a user and an item, each once, in the order of the users; `starts` says where each
    user begins."""

    item: I32
    user: I32
    starts: I64


def find_neighbours(log: Log, *, items: int, count: int) -> tuple[I32, F32]:
    """Rows of the nearest items [N, K], nearest first and of equal ones the earlier row first, and
    their similarities [N, K]; 0 behind the last one.

    Two items are as similar as the cosine of the sets of users who clicked them, so an item is its
    own nearest. What a user clicked is in the rows and the histories of the log. Where users have
    so many items that counting all pairs would take too long, their newest ones count.
    """
    clicked = collect(log, items)
    users = np.bincount(clicked.item, minlength=items)
    # The users of an item, item by item.
    by_item = np.argsort(clicked.item, kind="stable")
    first = np.concatenate([[0], np.cumsum(users)])
    sizes = np.diff(clicked.starts)
    rows = np.zeros((items, count), dtype=np.int32)
    similarity = np.zeros((items, count), dtype=np.float32)
    norm = np.sqrt(np.maximum(users, 1))
    # What a block expands to is bounded as well: its items have so many clicks beside theirs.
    steps = np.concatenate([[0], np.cumsum(sizes[clicked.user[by_item]])])[first]
    start = 0
    while start < items:
        most = int(np.searchsorted(steps, steps[start] + 4 * COUNTERS, side="right")) - 1
        stop = min(max(most, start + 1), start + max(COUNTERS // items, 1), items)
        found = by_item[first[start] : first[stop]]
        block = count_common(clicked, found, start, stop, items)
        similar = block / (norm[start:stop, None] * norm)
        nearest, value = top(similar, count)
        rows[start:stop, : nearest.shape[1]] = nearest
        similarity[start:stop, : nearest.shape[1]] = value
        start = stop
    return rows, similarity


def count_common(
    clicked: Clicked, found: I64, start: int, stop: int, items: int
) -> NDArray[np.float64]:
    """[B, N] users who clicked both an item of the block and another. found: the pairs of the
    block's items."""
    owner = clicked.user[found]
    begin = clicked.starts[owner]
    lengths = clicked.starts[owner + 1] - begin
    total = int(lengths.sum())
    # Each pair of the block beside all pairs of its user.
    offset = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    other = clicked.item[np.repeat(begin, lengths) + offset]
    key = np.repeat(clicked.item[found].astype(np.int64) - start, lengths) * items + other
    return np.bincount(key, minlength=(stop - start) * items).reshape(stop - start, items)


def top(similar: NDArray[np.float64], count: int) -> tuple[I32, F32]:
    """The columns of the `count` largest values of each row, and these; what is 0 is none."""
    kept = min(count, similar.shape[1])
    # Equal values by place: what is chosen must not hang on how a selection works.
    columns = np.argsort(-similar, axis=1, kind="stable")[:, :kept]
    value = np.take_along_axis(similar, columns, axis=1)
    return np.where(value > 0, columns, 0).astype(np.int32), value.astype(np.float32)


def collect(log: Log, items: int) -> Clicked:
    """What each training user clicked, each item once, the newest ones where there are too many."""
    hit = np.asarray(log.label) > 0.5
    by_row = np.asarray(log.user)[np.asarray(log.history)[hit]]
    by_history = np.repeat(np.asarray(log.user), np.diff(log.starts))
    # Histories stand before the rows they belong to; of one user later rows are newer.
    user = np.concatenate([by_history, by_row])
    item = np.concatenate([np.asarray(log.clicks), np.asarray(log.item)[hit]])
    age = np.concatenate([np.arange(len(by_history)), len(by_history) + np.arange(len(by_row))])
    real = user > 0
    user, item, age = user[real], item[real], age[real]
    # The newest occurrence of each pair.
    order = np.lexsort((-age, item, user))
    user, item, age = user[order], item[order], age[order]
    new = np.ones(len(user), dtype=bool)
    new[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
    user, item, age = user[new], item[new], age[new]
    sizes = np.bincount(user)
    most = most_items(sizes)
    order = np.lexsort((-age, user))
    begins = np.concatenate([[0], np.cumsum(sizes)])
    place = np.arange(len(order)) - begins[user[order]]
    order = np.sort(order[place < most])
    user, item = user[order], item[order]
    kept = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(sizes)))])
    return Clicked(item=item.astype(np.int32), user=user.astype(np.int32), starts=kept)


def most_items(sizes: NDArray[np.integer]) -> int:
    """The most items of a user that may count so that all of it takes no more than `STEPS`."""
    low, high = 1, max(int(sizes.max(initial=1)), 1)
    while low < high:
        middle = (low + high + 1) // 2
        if (np.minimum(sizes, middle).astype(np.float64) ** 2).sum() <= STEPS:
            low = middle
        else:
            high = middle - 1
    return low
