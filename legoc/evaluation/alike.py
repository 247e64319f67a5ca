"""Items whose vectors are equal, which have equal scores whatever a product makes of them.

A matrix product may round differently from one column to the next, so equal vectors can get scores
that differ in the last digit. Letters: n items, D width.
"""

import numpy as np

from legoc.data.indexing.log import F32, I64


def number_alike(vectors: F32) -> I64:
    """I64[n]: a number per distinct row of vectors [n, D]."""
    # Adding zero turns -0.0 into 0.0, which is equal to it.
    bits = (np.ascontiguousarray(vectors) + np.float32(0)).view(np.uint32)
    random = np.random.default_rng(0)
    factors = random.integers(0, 1 << 63, bits.shape[1], dtype=np.uint64) * 2 + 1
    hashed = np.zeros(len(bits), dtype=np.uint64)
    columns = np.ascontiguousarray(bits.T)
    for column, factor in zip(columns, factors, strict=True):
        # Folded, or the low bits, which whole numbers leave empty, would decide nothing.
        mixed = column * factor
        mixed ^= mixed >> 32
        hashed = hashed * 31 + mixed
    order = np.argsort(hashed, kind="stable")
    new = np.ones(len(order), dtype=bool)
    same = np.flatnonzero(hashed[order[1:]] == hashed[order[:-1]])
    # Equal hashes of different rows would be two numbers, as they should.
    new[1 + same] = (bits[order[1 + same]] != bits[order[same]]).any(axis=1)
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers
