"""From the rows of a batch to the batch: distinct items once, in buckets of like length.

Letters: B samples, K candidates of each, U distinct items.
"""

from dataclasses import dataclass

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
