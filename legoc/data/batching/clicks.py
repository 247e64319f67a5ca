"""How often training clicks each item, every click once.

A click may stand in many places: as a row, and in every later history of its user. Letters: M
histories, T clicks of histories, N items with row 0.
"""

import numpy as np

from legoc.data.indexing.log import I64, Log


# Clicks of histories that are looked at together: what a block holds is all that is held twice.
BLOCK = 1 << 22


def count_clicks(log: Log, items: int) -> I64:
    """I64[N]: the clicks of each item that the rows and histories of a log show.

    A user's clicks on an item are those of the history that, with the clicked rows it belongs to,
    shows most of them; histories that are cut show fewer than the rows do, and then it is the rows.
    """
    hit = np.flatnonzero(np.asarray(log.label) > 0)
    told = np.asarray(log.history)[hit]
    # Rows in the order of their histories, so that a block finds its own.
    order = np.argsort(told, kind="stable")
    told, clicked = told[order], np.asarray(log.item)[hit[order]].astype(np.int64)
    user = np.asarray(log.user).astype(np.int64)
    starts = np.asarray(log.starts)
    keys, most = merge(user[told] * items + clicked, np.ones(len(told), dtype=np.int64), np.add)
    parts = [(keys, most)]
    first = 0
    while first < len(user):
        last = int(np.searchsorted(starts, starts[first] + BLOCK, "right")) - 1
        last = min(max(last, first + 1), len(user))
        begin, end = np.searchsorted(told, [first, last])
        history = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        clicks = np.asarray(log.clicks[starts[first] : starts[last]]).astype(np.int64)
        pairs = np.concatenate(
            [history * items + clicks, (told[begin:end] - first) * items + clicked[begin:end]]
        )
        pairs, counts = np.unique(pairs, return_counts=True)
        owner = user[first + pairs // items]
        parts.append(merge(owner * items + pairs % items, counts, np.maximum))
        first = last
    keys, most = merge(*map(np.concatenate, zip(*parts, strict=True)), np.maximum)
    return np.bincount(keys % items, weights=most, minlength=items).astype(np.int64)


def merge(keys: I64, values: I64, by: np.ufunc) -> tuple[I64, I64]:
    """The distinct keys, ascending, each with its values taken together."""
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], by.reduceat(values[order], starts)
