"""Sums over resampled clusters, many draws at once, as matrix products.

A draw gives each cluster a weight (bootstrap: how often it is drawn) or a sign (permutation: two
systems change places in it or not) and sums the columns with them. Where there are more clusters
than BLOCK, the blocks of a draw take different rows of one matrix of weights: within a draw all
weights are independent, as in a plain resampling, and two draws share at most rows that met other
clusters. So the work is one product, and the numbers drawn are those of a single block.

Letters: C clusters, K columns, B draws, J blocks.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Callable[[np.random.Generator, int, int], F32]

BLOCK = 8_192
# Draws that are computed together, which bounds the memory.
ROWS = 1_024
# Of few clusters the number drawn is held fixed, as in Efron's bootstrap: no draw is empty then.
FEW = 512
LEVELS = 1 << 16


def bootstrap(columns: F64, draws: int, seed: int) -> F64:
    """[B, K]: the sums of columns [C, K] over clusters drawn with replacement."""
    weights = multinomial if len(columns) <= FEW else poisson
    return project(columns, draws, weights, np.random.default_rng([seed, 0]))


def flip(columns: F64, draws: int, seed: int) -> F64:
    """[B, K]: the sums of columns [C, K] with a random sign per cluster."""
    return project(columns, draws, signs, np.random.default_rng([seed, 1]))


def project(columns: F64, draws: int, weights: Weights, rng: np.random.Generator) -> F64:
    """[B, K]: weights [B, C] @ columns [C, K]."""
    clusters, width = columns.shape
    blocks = max(math.ceil(clusters / BLOCK), 1)
    size = clusters if blocks == 1 else BLOCK
    if blocks > draws:
        raise ValueError(f"{blocks} blocks of clusters need as many draws, not {draws}")
    order = rng.permutation(clusters)
    padded = np.zeros((blocks * size, width), dtype=np.float32)
    padded[:clusters] = columns[order]
    side_by_side = padded.reshape(blocks, size, width).transpose(1, 0, 2).reshape(size, -1)
    side_by_side = np.ascontiguousarray(side_by_side)
    shifts = rng.choice(draws, blocks, replace=False)
    total = np.zeros((draws, width))
    for start in range(0, draws, ROWS):
        count = min(ROWS, draws - start)
        product = (weights(rng, count, size) @ side_by_side).reshape(count, blocks, width)
        for block, shift in enumerate(shifts):
            # Row r of the matrix weighs this block in draw r - shift.
            first = (start - int(shift)) % draws
            fits = min(draws - first, count)
            total[first : first + fits] += product[:fits, block]
            total[: count - fits] += product[fits:, block]
    return total


def multinomial(rng: np.random.Generator, count: int, size: int) -> F32:
    """[count, size]: how often each of `size` clusters is drawn in `size` draws."""
    chosen = rng.integers(0, size, (count, size))
    rows = np.arange(count)[:, None] * size
    return np.bincount((chosen + rows).ravel(), minlength=count * size).reshape(
        count, size
    ).astype(np.float32)  # fmt: skip


def poisson(rng: np.random.Generator, count: int, size: int) -> F32:
    """[count, size]: numbers of mean and variance 1, independent where a multinomial's are bound
    by their sum; a table of 65,536 levels has the chances to within one of them."""
    levels = rng.integers(0, LEVELS, (count, size), dtype=np.uint16)
    return POISSON[levels]


def tabulate_poisson() -> F32:
    """[LEVELS]: the value at each level of the distribution function."""
    chances = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(12)])
    middle = (np.arange(LEVELS) + 0.5) / LEVELS
    return np.searchsorted(chances, middle).astype(np.float32)


def signs(rng: np.random.Generator, count: int, size: int) -> F32:
    """[count, size]: 1 or -1 with equal chances."""
    bits = np.unpackbits(np.frombuffer(rng.bytes(count * -(-size // 8)), np.uint8))
    signed = bits.reshape(count, -1)[:, :size].astype(np.float32)
    return signed * 2 - 1


POISSON = tabulate_poisson()
