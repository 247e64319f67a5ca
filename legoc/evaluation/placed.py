"""Where the positives of full ranking stand: how many items are above each, and how many beside it.

Letters: Q queries, P positives, C classes of items, Z blocks of tied positives, G groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64
from legoc.evaluation.catalogue import Queries
from legoc.evaluation.ranking import Ranking, empty


Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Best:
    """The first items of each query, best first, end to end: owner I64[T], item I32[T]."""

    owner: I64
    item: I32


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What is kept of the scores of whole catalogues.

    score F32[P]: of each positive. above, tied I64[P, C]: the items of each class with a higher
    score, and with the same one, itself among them. rows I64[Q, C]: the items that were ranked.
    best: the first items, where they were asked for.
    """

    score: F32
    above: I64
    tied: I64
    rows: I64
    best: Best | None = None


def to_ranking(
    queries: Queries, placed: Placed, classes: Sequence[int], wanted: Bool, groups: int
) -> Ranking:
    """The positives of some classes among the items of these classes, for the wanted queries [Q].

    Only blocks with a positive are in it, and no metric asks for others. groups: how many there
    are, with those that do not click.
    """
    chosen = wanted[queries.owner] & np.isin(queries.catalogue.class_of(queries.item), classes)
    owner, score = queries.owner[chosen], placed.score[chosen]
    if not len(owner):
        return empty(groups)
    order = np.lexsort((-score, owner))
    owner, score = owner[order], score[order]
    new = np.ones(len(owner), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (score[1:] != score[:-1])
    first = np.flatnonzero(new)
    positives = np.diff(first, append=len(owner))
    before = np.cumsum(positives) - positives
    query = owner[first]
    begin = np.flatnonzero(np.diff(query, prepend=-1))
    size = np.diff(begin, append=len(query))
    before -= np.repeat(before[begin], size)
    rows = placed.rows[:, classes].sum(axis=1)[query[begin]]
    clicks = np.add.reduceat(positives, begin)
    mixed = clicks < rows
    kept = np.repeat(mixed, size)
    place = np.flatnonzero(chosen)[order][first][kept]
    return Ranking(
        group=np.repeat(np.cumsum(mixed) - 1, size)[kept],
        size=placed.tied[:, classes].sum(axis=1)[place],
        positives=positives[kept],
        above=placed.above[:, classes].sum(axis=1)[place],
        before=before[kept],
        rows=rows[mixed],
        clicks=clicks[mixed],
        names=queries.group[query[begin]][mixed],
        excluded=groups - int(mixed.sum()),
    )
