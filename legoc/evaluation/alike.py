"""Items whose vectors are equal, which have equal scores whatever a product makes of them.

A matrix product may round differently from one column to the next, so equal vectors can get scores
that differ in the last digit. Letters: n items, D width.
"""

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I64


U64 = NDArray[np.uint64]


def first_alike(vectors: F32) -> I64:
    """I64[n]: the first row that equals each row of vectors [n, D]."""
    first = np.arange(len(vectors))
    # What differs in two columns differs, and that is nearly all where vectors are learned.
    ends = [0, -1] if vectors.shape[1] else []
    doubtful = repeated(hash_columns(vectors[:, ends]))
    rows = vectors[doubtful]
    hashed = hash_columns(rows)
    order = np.argsort(hashed, kind="stable")
    new = np.ones(len(order), dtype=bool)
    same = np.flatnonzero(hashed[order[1:]] == hashed[order[:-1]])
    # Different rows of one hash would be told apart here.
    new[1 + same] = (rows[order[1 + same]] != rows[order[same]]).any(axis=1)
    begins = np.flatnonzero(new)
    leader = np.repeat(order[begins], np.diff(begins, append=len(order)))
    first[doubtful[order]] = doubtful[leader]
    return first


def repeated(hashed: U64) -> I64:
    """The places of what occurs more than once, rising."""
    order = np.argsort(hashed)
    same = np.flatnonzero(hashed[order[1:]] == hashed[order[:-1]])
    return np.unique(np.concatenate([order[same], order[same + 1]]))


def hash_columns(vectors: F32) -> U64:
    """[n]: equal for equal rows of vectors [n, D]."""
    # Adding zero turns -0.0 into 0.0, which is equal to it.
    columns = (np.ascontiguousarray(vectors.T) + np.float32(0)).view(np.uint32)
    random = np.random.default_rng(0)
    factors = random.integers(0, 1 << 63, len(columns), dtype=np.uint64) * 2 + 1
    hashed = np.zeros(len(vectors), dtype=np.uint64)
    for column, factor in zip(columns, factors, strict=True):
        # Folded, or the low bits, which whole numbers leave empty, would decide nothing.
        mixed = column * factor
        mixed ^= mixed >> 32
        hashed = hashed * 31 + mixed
    return hashed
