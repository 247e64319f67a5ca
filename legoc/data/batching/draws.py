"""Random draws from counters: the same (seed, epoch, step) gives the same numbers anywhere."""

from typing import Literal

import numpy as np

from legoc.data.indexing.log import I64


Purpose = Literal["order", "negatives", "rows"]

PURPOSES: dict[str, int] = {"order": 1, "negatives": 2, "rows": 3}


def draw(seed: int, epoch: int, step: int, purpose: Purpose) -> np.random.Generator:
    """A generator that no other (seed, epoch, step, purpose) shares."""
    # The lowest word of Philox's counter runs on with every draw; the others are ours.
    counter = np.array([0, 0, step, epoch], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=[seed, PURPOSES[purpose]], counter=counter))


def choose(rng: np.random.Generator, counts: I64, amount: int) -> I64:
    """I64[B, amount]: a uniform subset of 0 ... counts[b] - 1 per row, -1 where there are too few.

    Floyd's algorithm: one pass over `amount`, whatever the counts.
    """
    counts = np.asarray(counts, dtype=np.int64)
    chosen = np.full((len(counts), amount), -1, dtype=np.int64)
    uniform = rng.random((len(counts), amount))
    for place in range(amount):
        # The largest number this step may choose; below zero there is nothing left to choose.
        top = counts - amount + place
        short = counts < amount
        top = np.where(short, place, top)
        guess = np.minimum((uniform[:, place] * (top + 1)).astype(np.int64), top)
        taken = (chosen[:, :place] == guess[:, None]).any(axis=1)
        guess = np.where(taken, top, guess)
        chosen[:, place] = np.where(short & (place >= counts), -1, guess)
    return chosen
