"""The nearest neighbours of items by the users who clicked both, in blocks of bounded memory.

Letters: N rows of the item table, E clicks (each user's items once), K neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64, Log


# Pairs of clicks that are counted at once.
PAIRS = 4 << 20
# Pairs in all: a user with n items costs n².
STEPS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """E pairs of a user and an item, each once, in the order of the users; `starts` says where each
    user begins."""

    item: I32
    user: I32
    starts: I64


def find_neighbours(log: Log, *, items: int, count: int) -> Iterator[tuple[slice, I32, F32]]:
    """Blocks of the item table: which of its rows, the rows of the items nearest to each of them
    [n, K], and how similar those are [n, K]; 0 behind the last one.

    The nearest comes first, and of equal ones the item itself, then the earlier row. Two items are
    as similar as the cosine of the sets of users who clicked them. What a user clicked is in the
    rows and the histories of the log. Where users have so many items that counting all pairs would
    take too long, their newest ones count.
    """
    clicked = collect(log)
    users = np.bincount(clicked.item, minlength=items)
    by_item = np.argsort(clicked.item, kind="stable")
    first = np.concatenate([[0], np.cumsum(users)])
    sizes = np.diff(clicked.starts)
    steps = np.concatenate([[0], np.cumsum(sizes[clicked.user[by_item]])])[first]
    start = 0
    while start < items:
        most = int(np.searchsorted(steps, steps[start] + PAIRS, side="right")) - 1
        stop = min(max(most, start + 1), items)
        one, other, common = count_common(clicked, by_item[first[start] : first[stop]], items)
        # The cosine squared, a quotient of whole numbers: what is equal rounds alike.
        squared = common.astype(np.float64) ** 2 / (users[one].astype(np.float64) * users[other])
        # A stable order leaves equal ones by their rows, and nothing is above the item itself.
        order = np.lexsort((-np.where(one == other, 2, squared), one))
        one, other, similar = one[order] - start, other[order], np.sqrt(squared[order])
        begins = np.searchsorted(one, np.arange(stop - start))
        place = np.arange(len(one)) - begins[one]
        kept = place < count
        rows = np.zeros((stop - start, count), dtype=np.int32)
        similarity = np.zeros((stop - start, count), dtype=np.float32)
        rows[one[kept], place[kept]] = other[kept]
        similarity[one[kept], place[kept]] = similar[kept]
        yield slice(start, stop), rows, similarity
        start = stop


def count_common(clicked: Clicked, found: I64, items: int) -> tuple[I64, I64, I64]:
    """Pairs of items, in order, that some user clicked both, and how many did. found: the pairs of
    user and item whose items stand first."""
    owner = clicked.user[found]
    begin = clicked.starts[owner]
    lengths = clicked.starts[owner + 1] - begin
    # Each of them beside all items of its user.
    offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    other = clicked.item[np.repeat(begin, lengths) + offset]
    key = np.repeat(clicked.item[found].astype(np.int64), lengths) * items + other
    key.sort()
    new = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
    common = np.diff(np.concatenate([new, [len(key)]]))
    return key[new] // items, key[new] % items, common


def collect(log: Log) -> Clicked:
    """What each training user clicked, each item once, the newest ones where there are too many.

    Besides the rows that are the first and the last history of each user: what others hold was
    clicked in a row before them.
    """
    hit = np.asarray(log.label) > 0.5
    owner, starts = np.asarray(log.user), np.asarray(log.starts)
    ends = np.unique(np.concatenate([first_of(owner), first_of(owner[::-1], len(owner) - 1)]))
    lengths = starts[ends + 1] - starts[ends]
    offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    past = np.asarray(log.clicks)[np.repeat(starts[ends], lengths) + offset]
    # In the order of time, as far as it matters: rows are newer than histories.
    user = np.concatenate([np.repeat(owner[ends], lengths), owner[np.asarray(log.history)[hit]]])
    item = np.concatenate([past, np.asarray(log.item)[hit]])
    # The unknown user is many.
    user, item = user[user > 0], item[user > 0]
    age = np.arange(len(user))[::-1]
    order = np.lexsort((age, item, user))
    user, item, age = user[order], item[order], age[order]
    new = np.ones(len(user), dtype=bool)
    new[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
    user, item, age = user[new], item[new], age[new]
    sizes = np.bincount(user)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    newest = np.lexsort((age, user))
    place = np.arange(len(newest)) - begins[user[newest]]
    kept = np.sort(newest[place < most_items(sizes)])
    user, item = user[kept], item[kept]
    begins = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(sizes)))])
    return Clicked(item=item.astype(np.int32), user=user.astype(np.int32), starts=begins)


def first_of(owner: NDArray[np.integer], last: int | None = None) -> NDArray[np.integer]:
    """The first place of each user; counted down from `last` where the order is turned."""
    _, places = np.unique(owner, return_index=True)
    return places if last is None else last - places


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
