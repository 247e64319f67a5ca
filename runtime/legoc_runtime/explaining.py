"""What a score is made of: the part of each click, and of each token of the candidate.

Nothing is known of the weights inside a graph, so the graph is asked. A vector that is a weighted
mean of its parts, the weight of each being a matter of that part alone (a mean, additive
attention), gives itself away: the weights follow from what the graph makes of pairs of parts, and
then the whole must come out. Where it does, and scores are inner products, the parts are *exact*:
with the `rest` they add up to the score. Everywhere else a part is what the score loses without it.

Letters: S parts, D width, M subsets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.graphs import F32


# [M, D] of M subsets of the parts 0 ... S - 1; and [M] scores of the same.
Encode = Callable[[Sequence[Sequence[int]]], F32]
Method = Literal["exact", "leave-one-out"]
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The contribution of each part [S], what remains of the score, and how they were found.

    method: "exact", then contributions and `rest` add up to the score; "leave-one-out", then each
    is the score less the score without that part, and they need not add up.
    """

    contributions: F32
    rest: float
    method: Method


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token of the candidate: the attribute it is of, its text (of a category or number the
    value), and its contribution."""

    attribute: str
    text: str
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why an item has its score for a user.

    clicks: the ids that were used, oldest first, each with its contribution; click_method: how they
    were found. tokens, token_method: the same of what the candidate says, where it was given as a
    record. rest: the score less the contributions of the clicks. cold: as that of the user; the
    score of somebody of whom nothing is known has no parts.
    """

    score: float
    clicks: tuple[tuple[str, float], ...]
    click_method: Method
    rest: float
    tokens: tuple[Token, ...] = ()
    token_method: Method | None = None
    cold: str | None = None


def explain(count: int, score: Callable[[Sequence[Sequence[int]]], F32]) -> Parts:
    """Parts by leave-one-out. score: [M] scores of subsets."""
    every = list(range(count))
    if not count:
        return Parts(contributions=np.zeros(0, np.float32), rest=float(score([[]])[0]),
                     method="leave-one-out")  # fmt: skip
    found = score([every, *([p for p in every if p != left] for left in every)])
    parts = (found[0] - found[1:]).astype(np.float32)
    return Parts(
        contributions=parts, rest=float(found[0] - parts.sum(dtype=np.float64)),
        method="leave-one-out",
    )  # fmt: skip


def explain_product(
    count: int, encode: Encode, other: F32, score: Callable[[Sequence[Sequence[int]]], F32],
    scale: float,
) -> Parts:  # fmt: skip
    """Parts of the product of a vector that `encode` makes with another one [D]: exact where that
    vector is a weighted mean of those of its parts. scale: of a product in the score."""
    weights = find_weights(count, encode)
    if weights is None:
        return explain(count, score)
    singles = encode([[part] for part in range(count)])
    parts = (weights * (singles.astype(np.float64) @ other) * scale).astype(np.float32)
    whole = float(score([list(range(count))])[0])
    return Parts(
        contributions=parts, rest=whole - float(parts.sum(dtype=np.float64)), method="exact"
    )


def find_weights(count: int, encode: Encode) -> NDArray[np.float64] | None:
    """[S] weights that add up to 1 with which the vector of all parts is the mean of the vectors of
    each; None where it is no such mean."""
    if not count:
        return None
    every = list(range(count))
    singles = encode([[part] for part in every]).astype(np.float64)
    # Of two parts alike any weights will do; those of the part the first differs from are told
    # through it.
    apart = ((singles - singles[0]) ** 2).sum(axis=1)
    far = int(apart.argmax())
    weights = np.ones(count)
    if apart[far] > 0:
        by_first = ratios(singles, encode, 0)
        by_far = ratios(singles, encode, far)
        # The weight of a part by the reference it is further from.
        nearer = ((singles - singles[far]) ** 2).sum(axis=1) > apart
        weights = np.where(nearer, by_far * by_first[far], by_first)
    weights = weights / weights.sum()
    whole = encode([every])[0].astype(np.float64)
    largest = max(1.0, float(np.abs(singles).max()))
    sound = np.isfinite(weights).all() and (weights >= 0).all()
    if sound and float(np.abs(weights @ singles - whole).max()) <= TOLERANCE * largest:
        return weights
    return None


def ratios(singles: NDArray[np.float64], encode: Encode, base: int) -> NDArray[np.float64]:
    """[S] the weight of each part over that of the base, by what is made of the two together; 1
    where they are alike."""
    order = [sorted((base, part)) for part in range(len(singles))]
    pairs = encode(order).astype(np.float64)
    step = singles - singles[base]
    length = (step**2).sum(axis=1)
    share = ((pairs - singles[base]) * step).sum(axis=1) / np.where(length > 0, length, 1)
    share = np.where(length > 0, share, 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        return share / (1 - share)
