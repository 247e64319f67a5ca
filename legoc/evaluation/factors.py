"""Users and items as vectors whose inner products put items into the order of a model.

Letters: U users, N items, D width.
"""

from typing import Any

import numpy as np

from legoc.data.indexing.log import F32
from legoc.evaluation.beyond import vectors_of


# These know one number of an item, which is its score whoever asks.
ONE_NUMBER = ("Popularity", "ItemMean")
BY_MATRIX = ("Dot", "Cosine", *ONE_NUMBER)
# What `Cosine` divides by at least: below it a cosine is none of unit vectors.
SMALLEST = 1e-8
# Norms whose product is less than this give products that float32 has room for.
LARGEST = 1e37


def find_factors(predict: str, users: Any, items: Any, count: int) -> tuple[F32, F32] | None:
    """Vectors [U, D] and [N, D] of a predictor without a prior of the moment; None where its
    scores are no inner products. users, items: as an engine keeps them; count: U.

    Dividing by a temperature and adding a bias, as calibration does, changes no order.
    """
    known = vectors_of(items)
    if known is None:
        return None
    if predict in ONE_NUMBER:
        return fitting(np.ones((count, 1), dtype=np.float32), known[:, :1])
    made = vectors_of(users)
    if made is None or predict not in ("Dot", "Cosine"):
        return None
    if predict == "Dot":
        return fitting(made, known)
    lengths = np.linalg.norm(made, axis=1), np.linalg.norm(known, axis=1)
    least = [each[each > 0].min(initial=np.inf) for each in lengths]
    if least[0] * least[1] < SMALLEST:
        return None
    return fitting(*(unit(x, n) for x, n in zip((made, known), lengths, strict=True)))


def unit(vectors: F32, lengths: F32) -> F32:
    """Rows of length 1, but for those of zeros."""
    return (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)


def fitting(users: F32, items: F32) -> tuple[F32, F32] | None:
    """Both as they are, where every product is finite. Where one is not, the engine's own scores
    have to say so."""
    users, items = np.asarray(users, dtype=np.float32), np.asarray(items, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        longest = [float(np.linalg.norm(x, axis=1).max(initial=0)) for x in (users, items)]
    return (users, items) if longest[0] * longest[1] < LARGEST else None
