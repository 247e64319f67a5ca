"""Scores of pairs where a user is the state of a language model that has read the user's part.

States are large, so there are never more of them than memory allows: pairs are taken user by user,
each distinct user is read once, and its state is dropped with its last pair.

Letters: U users, S clicks, N tokens of a user's part, W numbers of a token, P pairs, I items.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.prompting import I32, Bool


F32 = NDArray[np.float32]

# Numbers of states held at once: 256 MiB.
FLOATS = 64 << 20
# Candidates that are read at once, where memory allows.
TOGETHER = 64


@dataclass
class Spent:
    """What reading users has taken so far: seconds of the wall clock and of CPU time, and how many
    were read."""

    seconds: float = 0.0
    cpu: float = 0.0
    users: int = 0


def score_by_user(
    owner: NDArray[np.integer],
    *,
    prompts: Callable[[NDArray[np.integer]], tuple[I32, Bool]],
    read: Callable[[I32, Bool], Any],
    follow: Callable[[Any, Bool, NDArray[np.integer], NDArray[np.integer]], F32],
    width: int,
    floats: int = FLOATS,
    spent: Spent | None = None,
) -> F32:
    """[P] scores of pairs, given by the row of the user that owns each.

    prompts: the users' parts of some rows, padded on the left. read: their states. follow: the
    scores of some pairs, by places among those users and numbers of pairs. width: W. spent:
    grows by what `read` takes.
    """
    scores = np.empty(len(owner), dtype=np.float32)
    order = np.argsort(owner, kind="stable")
    users, first = np.unique(owner[order], return_index=True)
    ends = np.append(first[1:], len(order))
    if not len(users):
        return scores
    ids, mask = prompts(users)
    for some in by_room(mask.sum(axis=1), width, floats):
        longest = max(int(mask[some].sum(axis=1).max(initial=0)), 1)
        given, real = ids[some, -longest:], mask[some, -longest:]
        wall, cpu = perf_counter(), process_time()
        states = read(given, real)
        if spent is not None:
            spent.seconds += perf_counter() - wall
            spent.cpu += process_time() - cpu
            spent.users += len(some)
        pairs = np.concatenate([order[first[user] : ends[user]] for user in some])
        places = np.repeat(np.arange(len(some)), (ends - first)[some])
        step = pairs_at_once(longest * width, floats)
        for start in range(0, len(pairs), step):
            chosen = pairs[start : start + step]
            scores[chosen] = follow(states, real, places[start : start + step], chosen)
    return scores


def by_room(
    lengths: NDArray[np.integer], width: int, floats: int
) -> Iterator[NDArray[np.intp]]:  # fmt: skip
    """Users of like length, as many at a time as their states have room."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and stop - start < TOGETHER:
            if (stop + 1 - start) * max(int(lengths[order[stop]]), 1) * width > floats:
                break
            stop += 1
        yield order[start:stop]
        start = stop


def pairs_at_once(floats_each: int, floats: int = FLOATS) -> int:
    """Pairs per call where the state of a pair's user has so many numbers."""
    return max(1, min(TOGETHER, floats // max(floats_each, 1)))
