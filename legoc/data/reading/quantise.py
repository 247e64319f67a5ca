"""Residual quantisation: vectors as sums of a few codes, one per level.

r_0 = x; c_l = argmin_k |r_l - E_l[k]|; r_{l+1} = r_l - E_l[c_l]. The codebook of a level is what
k-means finds on its residuals, from where the published quantisers start; here it is the end, for
there is nothing else to train. Lee et al., Autoregressive Image Generation using Residual
Quantization, CVPR 2022. Letters: M items, W width, K codes of a level, L levels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.progress import SILENT, Progress


F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ITERATIONS = 100
# Distances are computed for so many numbers at once: a table of any length fits into memory.
AT_ONCE = 2**22


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """codes: I64[M, L], each from 0 to K - 1. books: a codebook F64[K, W] per level; fewer than K
    rows where a level has fewer distinct residuals. left: after each level, the share of the
    squared distance from the mean that the codes do not yet explain. moved: items given another
    last code than the nearest. shared: items whose codes another item has all the same."""

    codes: I64
    books: tuple[F64, ...]
    left: tuple[float, ...]
    moved: int
    shared: int


def quantise(
    vectors: NDArray[np.floating],
    *,
    levels: int,
    size: int,
    seed: int,
    progress: Progress = SILENT,
) -> Quantised:
    """Codes of vectors [M, W], M at least 1; the same for the same vectors, settings and seed.

    Items that would share all their codes are told apart by their last one, as far as there are
    codes: see `separate`.
    """
    residual = np.asarray(vectors, dtype=np.float64)
    scale = float(np.square(residual - residual.mean(0)).sum())
    codes = np.zeros((len(residual), levels), dtype=np.int64)
    books: list[F64] = []
    left: list[float] = []
    last = residual
    with progress.task("codes", levels, "levels") as task:
        for level in range(levels):
            rng = np.random.default_rng([seed, level])
            book = cluster(residual, size, rng)
            last = residual
            codes[:, level] = nearest(residual, book)[0]
            residual = residual - book[codes[:, level]]
            books.append(book)
            left.append(float(np.square(residual).sum()) / scale if scale else 0.0)
            task.advance()
    moved = separate(codes, last, books[-1])
    _, counts = np.unique(codes, axis=0, return_counts=True)
    return Quantised(
        codes=codes, books=tuple(books), left=tuple(left), moved=moved,
        shared=int(counts[counts > 1].sum()),
    )  # fmt: skip


def cluster(x: F64, size: int, rng: np.random.Generator) -> F64:
    """At most `size` centres [K, W] of rows [M, W]: k-means, Lloyd's iteration from a k-means++
    start (Arthur & Vassilvitskii, SODA 2007). A centre that loses all its rows moves to the row
    that is farthest from its own."""
    centres = scatter(x, size, rng)
    own, distance = nearest(x, centres)
    for _ in range(ITERATIONS):
        counts = np.bincount(own, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, own, x)
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        far = np.argsort(-distance, kind="stable")
        for place, row in zip(np.flatnonzero(counts == 0), far, strict=False):
            centres[place] = x[row]
        before = own
        own, distance = nearest(x, centres)
        if np.array_equal(own, before):
            break
    return centres


def scatter(x: F64, size: int, rng: np.random.Generator) -> F64:
    """Rows to start from, each drawn with the square of its distance to those drawn before; no row
    twice, so fewer than `size` where there are not as many distinct ones."""
    chosen = [int(rng.integers(len(x)))]
    distance = np.square(x - x[chosen[0]]).sum(1)
    while len(chosen) < size and distance.any():
        row = int(rng.choice(len(x), p=distance / distance.sum()))
        chosen.append(row)
        distance = np.minimum(distance, np.square(x - x[row]).sum(1))
    return x[chosen].copy()


def nearest(x: F64, centres: F64) -> tuple[I64, F64]:
    """The nearest centre of each row, the first of several, and its squared distance."""
    own = np.zeros(len(x), dtype=np.int64)
    distance = np.zeros(len(x))
    step = max(1, AT_ONCE // len(centres))
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        own[part] = distances(x[part], centres).argmin(1)
        distance[part] = np.square(x[part] - centres[own[part]]).sum(1)
    return own, distance


def distances(x: F64, centres: F64) -> F64:
    """Squared distances [M, K], without what all centres of a row have in common."""
    return np.square(centres).sum(1) - 2.0 * x @ centres.T


def separate(codes: I64, residual: F64, book: F64) -> int:
    """Change last codes so that no two items share all; returns how many changed.

    Among items that share all codes but the last, the nearest pair of an item and a code is settled
    first, then the nearest of what is left. Where there are more such items than codes, the rest
    keep what they have.
    """
    changed = 0
    _, group = np.unique(codes[:, :-1], axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(np.unique(codes[rows, -1])) == len(rows):
            continue
        away = distances(residual[rows], book) + np.square(residual[rows]).sum(1)[:, None]
        free, waiting = np.ones(len(book), dtype=bool), np.ones(len(rows), dtype=bool)
        for pair in np.argsort(away, axis=None, kind="stable"):
            place, code = divmod(int(pair), len(book))
            if waiting[place] and free[code]:
                changed += int(codes[rows[place], -1] != code)
                codes[rows[place], -1] = code
                free[code] = waiting[place] = False
    return changed
