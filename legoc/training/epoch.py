"""One epoch as its updates: which batches, in which order, behind which seeds.

Batches come from (epoch, step) and torch's generator is seeded from (seed, epoch, step) before
each, so every process that asks for the same place gets the same update. Where several train
together, each takes its share of the rows, and its number is part of the seed.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from legoc.data.batching.batch import Batch
from legoc.training.job import Sampler


@dataclass(frozen=True, kw_only=True)
class Part:
    """One batch of an update, or this process's share of it. seed: of torch's generator while the
    batch is computed."""

    epoch: int
    step: int
    seed: int
    batch: Batch

    @property
    def rows(self) -> int:
        return self.batch.rows

    @property
    def all_rows(self) -> int:
        """Those of the whole batch."""
        return self.batch.all_rows


@dataclass(frozen=True, kw_only=True)
class Update:
    """The batches whose gradients make one update. number: its place in the epoch, from 0. rows: of
    the whole update, by which each part is weighted whoever computes it."""

    number: int
    parts: tuple[Part, ...]
    rows: int


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The updates of one epoch. accumulate: batches per update. seed: that of the recipe. share:
    which part of every batch is this process's, of how many."""

    number: int
    sampler: Sampler
    accumulate: int
    seed: int
    share: tuple[int, int] = (0, 1)

    @property
    def updates(self) -> int:
        return math.ceil(self.sampler.steps / self.accumulate)

    def update(self, number: int) -> Update:
        first = number * self.accumulate
        steps = range(first, min(first + self.accumulate, self.sampler.steps))
        parts = tuple(self.part(step) for step in steps)
        return Update(number=number, parts=parts, rows=sum(part.all_rows for part in parts))

    def part(self, step: int) -> Part:
        return Part(
            epoch=self.number,
            step=step,
            # Shares have draws of their own; a whole batch has those it always had.
            seed=infer_seed(self.seed, self.number, step, *self.share[: int(self.share[1] > 1)]),
            batch=self.sampler.batch(self.number, step, self.share),
        )

    def updates_from(self, first: int) -> Iterator[Update]:
        """From the update `first` on, each made one ahead in a second thread: numpy and torch both
        release the interpreter while they compute."""
        if first >= self.updates:
            return
        with ThreadPoolExecutor(1) as worker:
            coming = worker.submit(self.update, first)
            for number in range(first, self.updates):
                update = coming.result()
                if number + 1 < self.updates:
                    coming = worker.submit(self.update, number + 1)
                yield update


def infer_seed(seed: int, *counters: int) -> int:
    """A seed for torch's generator that follows from a recipe's seed and counters."""
    return int(np.random.SeedSequence((seed, *counters)).generate_state(1, np.uint64)[0])
