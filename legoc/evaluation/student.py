"""Quantiles of Student's distribution, with the standard library alone."""

import math
from functools import lru_cache
from statistics import NormalDist


# From here on the expansion around the normal quantile is exact to seven digits.
LARGE = 200


@lru_cache(maxsize=256)
def quantile(level: float, freedom: int) -> float:
    """The value that a t of so many degrees of freedom stays below with the chance `level`, for
    levels above a half."""
    if freedom < 1:
        return math.inf
    z = NormalDist().inv_cdf(level)
    if freedom >= LARGE:
        return expand(z, freedom)
    low, high = 0.0, 1.0
    while below(high, freedom) < level:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle, freedom) < level else (low, middle)
    return (low + high) / 2


def expand(z: float, freedom: int) -> float:
    """The first terms of the quantile in powers of 1 / freedom (Fisher and Cornish)."""
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def below(t: float, freedom: int) -> float:
    """The distribution function for t >= 0: a finite sum in the angle arctan(t / sqrt(freedom))."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom % 2:
        term, total = cosine, 0.0
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= cosine**2 * 2 * k / (2 * k + 1)
        inside = 2 / math.pi * (angle + sine * total)
    else:
        term, total = 1.0, 0.0
        for k in range(1, freedom // 2 + 1):
            total += term
            term *= cosine**2 * (2 * k - 1) / (2 * k)
        inside = sine * total
    return (1 + inside) / 2
