"""A training batch of item indices."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import Array


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B training samples over U distinct items.

    The distinct items are encoded bucket by bucket, in order; `clicks` and `candidates` refer to
    them as 1 + position, 0 being padding, so the click mask is `clicks > 0`. K is 1 + negatives
    for matching, the positive first, and 1 for ranking. `offsets` is what the loss takes from the
    scores: the logarithm of how much more often a candidate is drawn than a uniform one would be,
    where that is to be made up for.

    whole: the rows of the batch that this is a share of, where several processes share it. idle:
    the share has none of them, and holds one for form's sake, which counts nothing.
    """

    buckets: tuple[Mapping[str, Array], ...]
    items: I32  # [U] rows of the item table, in the order of the buckets
    clicks: I32  # [B, S]
    candidates: I32  # [B, K]
    users: I32  # [B]
    labels: F32  # [B, K]
    context: F32 | None = None  # [B, K, n] where the data has a context
    offsets: F32 | None = None  # [B, K]
    whole: int | None = None
    idle: bool = False

    @property
    def rows(self) -> int:
        """The rows that count."""
        return 0 if self.idle else len(self.users)

    @property
    def all_rows(self) -> int:
        """Those of every share together."""
        return self.rows if self.whole is None else self.whole

    @property
    def mask(self) -> NDArray[np.bool_]:
        return self.clicks > 0
