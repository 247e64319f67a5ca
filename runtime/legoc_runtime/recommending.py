"""The best items of users.

Letters: N items with row 0, n numbers of the moment.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import F32
from legoc_runtime.ids import Id, as_count, as_ids, as_list
from legoc_runtime.items import Items
from legoc_runtime.scoring import Scorer, top
from legoc_runtime.table import Table
from legoc_runtime.users import EACH, User


class Recommender:
    """Ranks the items of a model. Safe to use from several threads."""

    def __init__(self, items: Items, scorer: Scorer) -> None:
        self.items = items
        self.scorer = scorer
        self.known_prior: tuple[object, F32] | None = None

    def prior(self, table: Table, moment: int | None) -> F32 | None:
        """What the moment adds to the score of every item, where that is an inner product and a
        sum. The last answer is kept, for many users come at one moment."""
        counters = self.items.counters
        if not self.scorer.inner_product or not self.scorer.reads_moment:
            return None
        key = (len(table.ids), None if counters is None else counters.version, moment)
        known = self.known_prior
        if known is None or known[0] != key:
            rows = np.arange(len(table.ids))
            known = (key, self.scorer.prior(table.vectors, self.items.context(rows, moment)))
            self.known_prior = known
        return known[1]

    def users(
        self, given: Sequence[User], k: int, exclude: Iterable[Iterable[Id]] | None, when: object
    ) -> list[tuple[list[str], F32]]:
        """What `Model.recommend_users` gives."""
        k = as_count(k, "k")
        table = self.items.table
        left = [()] * len(given)
        if exclude is not None:
            left = as_list(exclude, "the excluded items", EACH)
        if len(left) != len(given):
            raise RequestError(
                f"{len(given)} users and {len(left)} lists of excluded items",
                "give one list per user",
            )
        names = [as_ids(ids, "the excluded items") for ids in left]
        moment = self.items.moment(when)
        prior = self.prior(table, moment)
        context = (
            None if prior is not None else self.items.context(np.arange(len(table.ids)), moment)
        )
        every = self.scorer.every([user.vectors for user in given], table.vectors, context, prior)
        return [self.best(table, scores, k, out) for scores, out in zip(every, names, strict=True)]

    def best(self, table: Table, scores: F32, k: int, left: Sequence[str]) -> tuple[list[str], F32]:
        """The k best of all items by their scores [N], and these, without those left out."""
        parts = self.scorer.graphs.parts
        allowed = np.ones(len(table.ids), dtype=bool)
        allowed[0] = False
        allowed[parts.rows - parts.generated : parts.rows] = False
        allowed[[table.places.get(name, 0) for name in left]] = False
        rows = np.flatnonzero(allowed)
        best = rows[top(scores[rows], k)]
        if len(rows) and not len(best):
            raise BundleError(
                "the model gives no number for any item and this user",
                "export it again; `legoc verify` finds what is not finite",
            )
        return [table.ids[row] for row in best], scores[best]
