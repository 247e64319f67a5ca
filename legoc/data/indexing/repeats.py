"""Candidates that an impression names more than once: with the same label, or with both.

Letters: R rows, N items.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.codes import SPLITS, Codes
from legoc.data.indexing.log import I64
from legoc.data.staging.losses import EXAMPLES
from legoc.data.staging.report import Drop


# Rows that are looked at together.
BLOCK = 1 << 22

# What the two kinds are called, where rows are ranked within impressions and within users.
KINDS = {
    "impression": (
        "candidate again in its impression",
        "candidate with a click and without one in one impression",
    ),
    "user": (
        "interaction again: the same user, item and time",
        "item with a click and without one of one user at one time",
    ),
}
POLICIES = ("kept", "both rows kept")


def count_repeats(codes: Codes, group: str, name: Callable[[int], str]) -> tuple[Drop, ...]:
    """A Drop per kind and part, of rows after the first of their kind and of items with both
    labels. Nothing is left out: the metrics count such rows as they stand. name: where the raw
    files have a row; a row that is there twice is right, and one with both labels is not."""
    counts = np.zeros((2, len(SPLITS)), dtype=np.int64)
    firsts: dict[int, list[int]] = {part: [] for part in range(len(SPLITS))}
    for rows in blocks(codes.impression):
        key, clicked = keys_of(codes, rows)
        # Most blocks have none, and sorting alone shows it.
        if (np.diff(np.sort(key)) > 0).all():
            continue
        # In the order of their labels, rows of one key change from non-click to click once.
        order = np.lexsort((clicked, key))
        split = codes.split[rows][order]
        same = np.diff(key[order]) == 0
        turned = clicked[order][1:] != clicked[order][:-1]
        for kind, found in enumerate((same & ~turned, same & turned)):
            counts[kind] += np.bincount(split[1:][found], minlength=len(SPLITS))
        both = np.sort(order[1:][same & turned]) + rows.start
        for part, known in firsts.items():
            of_part = both[codes.split[both] == part]
            known += [int(row) for row in of_part[: EXAMPLES - len(known)]]
    return tuple(
        Drop(
            reason=reason, policy=policy, part=SPLITS[part], count=int(amounts[part]),
            examples=tuple(name(row) for row in firsts[int(part)]) if kind else (),
        )
        for kind, (reason, policy, amounts) in enumerate(
            zip(KINDS[group], POLICIES, counts, strict=True)
        )
        for part in np.flatnonzero(amounts)
    )  # fmt: skip


def blocks(impression: NDArray[np.int32]) -> list[slice]:
    """Runs of rows of about BLOCK that end where an impression does; its rows are adjacent."""
    found: list[slice] = []
    first = 0
    while first < len(impression):
        last = min(first + BLOCK, len(impression))
        while last < len(impression) and impression[last] == impression[last - 1]:
            last += 1
        found.append(slice(first, last))
        first = last
    return found


def keys_of(codes: Codes, rows: slice) -> tuple[I64, NDArray[np.bool_]]:
    """A number per impression and item, and whether each row is a click."""
    item = codes.item[rows].astype(np.int64)
    impression = codes.impression[rows].astype(np.int64)
    return impression * (int(item.max(initial=0)) + 1) + item, codes.label[rows] > 0
