"""The items that a log refers to, as a table of their own: an evaluation of some rows of a large
catalogue need not encode the rest of it.

Letters: N rows of the item table, n of them with row 0, R rows of the log, T clicks.
"""

from dataclasses import dataclass, replace

import numpy as np

from legoc.data.indexing.log import F32, I32, I64, Log, Moments
from legoc.data.reading.inputs import Chosen, ItemInputs


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """The moments of items under their numbers in the smaller table."""

    context: Moments
    origin: I32

    def at(self, items: I32, moments: I64) -> F32:
        """F32[Q, n]."""
        return self.context.at(self.origin[items], moments)


def narrow(inputs: ItemInputs, log: Log) -> tuple[ItemInputs, Log]:
    """The items that the rows of a log and their histories name, in the order of the table, and the
    log with their numbers. Rows without an item keep 0."""
    used_N = np.zeros(len(inputs.lengths), dtype=bool)
    used_N[log.item] = True
    used_N[log.clicks] = True
    used_N[0] = True
    if used_N.all():
        return inputs, log
    origin_n = np.flatnonzero(used_N).astype(np.int32)
    place_N = (np.cumsum(used_N) - 1).astype(np.int32)
    context = None if log.context is None else Renamed(context=log.context, origin=origin_n)
    narrowed = replace(
        log, item=place_N[log.item], clicks=place_N[log.clicks], context=context
    )  # fmt: skip
    return Chosen(inputs=inputs, origin=origin_n), narrowed
