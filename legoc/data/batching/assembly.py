"""From the rows of a batch to the batch: distinct items once, in buckets of like length.

Letters: B samples, K candidates of each, U distinct items.
"""

from dataclasses import dataclass, replace

import numpy as np

from legoc.data.batching.batch import Batch
from legoc.data.batching.buckets import cut_buckets
from legoc.data.indexing.log import F32, I32, I64, Log
from legoc.data.reading.inputs import ItemInputs


# More buckets pad less and call more often; the optimum is flat around here.
BUCKETS = 8


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What one batch trains on: `history` I32[B], `candidates` I32[B, K], `labels` F[B, K], and
    where the log has a context `moment` I64[B], that of the row each sample is of. offsets:
    F[B, K], as in `Batch`."""

    history: I32
    candidates: I32
    labels: F32
    moment: I64 | None = None
    offsets: F32 | None = None

    def cut(self, first: int, last: int) -> "Samples":
        """Some of the rows."""
        return Samples(
            history=self.history[first:last],
            candidates=self.candidates[first:last],
            labels=self.labels[first:last],
            moment=None if self.moment is None else self.moment[first:last],
            offsets=None if self.offsets is None else self.offsets[first:last],
        )


def assemble_share(
    log: Log, inputs: ItemInputs, samples: Samples, buckets: int, share: tuple[int, int]
) -> Batch:
    """The batch of some of the rows: of the `share[0]`-th of `share[1]` runs of rows that differ in
    length by one at most. Where the rows are fewer than shares, some are idle."""
    number, of = share
    rows = len(samples.history)
    first, last = rows * number // of, rows * (number + 1) // of
    idle = first == last
    own = samples.cut(0, 1) if idle else samples.cut(first, last)
    return replace(assemble(log, inputs, own, buckets), whole=rows, idle=idle)


def assemble(log: Log, inputs: ItemInputs, samples: Samples, buckets: int = BUCKETS) -> Batch:
    """Name the distinct items of a batch once, in buckets, and refer to them by position."""
    clicks = log.padded(samples.history)
    shape = samples.candidates.shape
    # The leading 0 stands for padding, whether or not the histories have any.
    named, place = np.unique(
        np.concatenate([[0], clicks.ravel(), samples.candidates.ravel()]), return_inverse=True
    )
    lengths = inputs.lengths[named[1:]]
    order = np.argsort(lengths, kind="stable")
    items = named[1:][order].astype(np.int32)
    position = np.zeros(len(named), dtype=np.int32)
    position[1 + order] = np.arange(1, len(named), dtype=np.int32)
    place = position[place[1:]]
    ends = cut_buckets(lengths[order], buckets)
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    return Batch(
        buckets=tuple(
            inputs.rows(items[start:end]) for start, end in zip(starts, ends, strict=True)
        ),
        items=items,
        clicks=place[: clicks.size].reshape(clicks.shape),
        candidates=place[clicks.size :].reshape(shape),
        users=np.asarray(log.user[samples.history], dtype=np.int32),
        labels=np.asarray(samples.labels, dtype=np.float32),
        context=read_context(log, samples),
        offsets=samples.offsets,
    )


def read_context(log: Log, samples: Samples) -> F32 | None:
    """F32[B, K, n]: what is known of each candidate, drawn ones included, at the moment of its
    row."""
    if log.context is None:
        return None
    assert samples.moment is not None
    count = samples.candidates.shape[1]
    found = log.context.at(samples.candidates.ravel(), np.repeat(samples.moment, count))
    return found.reshape(*samples.candidates.shape, -1)
