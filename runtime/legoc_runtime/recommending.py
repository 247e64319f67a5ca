"""The best items of users.

A block of the table is scored and searched while it is still near the processor, so a request needs
the room of a block, however many items there are.

Letters: N items with row 0, P pairs, D width, n numbers of the moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import ROWS, grouped, product
from legoc_runtime.boosting import Boost, as_boost
from legoc_runtime.cold import ColdUsers
from legoc_runtime.columns import Asked, Filter, ask
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import F32
from legoc_runtime.ids import Id, as_ids, as_list
from legoc_runtime.items import Items
from legoc_runtime.nearest import Nearest, Proposals
from legoc_runtime.ranking import Best
from legoc_runtime.scoring import Scorer
from legoc_runtime.table import Table, candidate_rows, known_row
from legoc_runtime.users import EACH, User


Rows = NDArray[np.integer]
Ranked = tuple[list[str], F32]

NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of all users of a call: a table, how many items, what attributes must be, what
    is added to some scores, and the moment with what it adds where that is a sum."""

    table: Table
    k: int
    asked: Sequence[Asked]
    boost: Boost | None
    moment: int | None
    prior: F32 | None


class Recommender:
    """Ranks the items of a model. Safe to use from several threads."""

    def __init__(
        self, items: Items, scorer: Scorer, cold: ColdUsers, proposals: Proposals | None = None
    ) -> None:
        self.items = items
        self.proposals = proposals
        self.scorer = scorer
        self.cold = cold
        self.known_prior: tuple[object, F32] | None = None

    def users(
        self, given: Sequence[User], k: int, when: object, *,
        exclude: Iterable[Iterable[Id]] | None, candidates: Iterable[Iterable[Id]] | None,
        where: Filter | None, boost: Mapping[Id, float] | None, approximate: bool = False,
    ) -> list[Ranked]:  # fmt: skip
        """What `Model.recommend_users` gives."""
        table = self.items.table
        nearest = None
        if approximate:
            refuse_beside(candidates=candidates, where=where, boost=boost)
            nearest = self.need_nearest()
        left = each_ids(exclude, len(given), "the excluded items")
        only = each_ids(candidates, len(given), "the candidates")
        moment = self.items.moment(when)
        request = Request(
            table=table, k=k, asked=ask(table.columns, where), boost=as_boost(table, boost),
            moment=moment, prior=self.prior(table, moment),
        )  # fmt: skip
        out = [excluded_rows(table, () if left is None else left[n]) for n in range(len(given))]
        if only is not None:
            rows = [np.unique(candidate_rows(table, ids)).astype(np.int64) for ids in only]
            return [
                self.among(request, user, np.setdiff1d(chosen, gone))
                for user, chosen, gone in zip(given, rows, out, strict=True)
            ]
        if nearest is not None:
            return [
                self.near(request, nearest, user, gone)
                for user, gone in zip(given, out, strict=True)
            ]
        if self.scorer.inner_product or len(given) < 2 or table.count > ROWS:
            return [self.best(request, user, gone) for user, gone in zip(given, out, strict=True)]
        # Graphs answer several users of a small catalogue at once.
        every = self.scorer.every(
            [user.vectors for user in given], table.vectors,
            table.context(np.arange(table.count), moment),
        )  # fmt: skip
        every = self.cold.over(given, every, table)
        return [
            self.best(request, user, gone, scores)
            for user, gone, scores in zip(given, out, every, strict=True)
        ]

    def need_nearest(self) -> Nearest:
        """The index. RequestError where there is none, or it cannot be used."""
        assert self.proposals is not None
        return self.proposals.open()

    def best(self, request: Request, user: User, out: Rows, known: F32 | None = None) -> Ranked:
        """The best of all items but some rows, which ascend. known: the scores [N] of a table that
        is one block."""
        table, found, any_item = request.table, Best(request.k), False
        left = leave_out(table, out)
        for number, gone in enumerate(left):
            start = number * ROWS
            size = min(ROWS, table.count - start)
            chosen = choose(request.asked, number, size, gone)
            if isinstance(chosen, slice):
                scores = self.block(request, user, number, size) if known is None else known.copy()
                if len(gone):
                    scores[gone] = np.nan
                rows = np.arange(start, start + size) if request.boost is not None else start
            elif not len(chosen):
                continue
            else:
                any_item = True
                rows = chosen + start
                scores = self.some(request, user, rows) if known is None else known[chosen]
            if request.boost is not None and not isinstance(rows, int):
                scores = scores + request.boost.of(rows)
            found.offer(scores, rows)
        rows, scores = found.settle()
        if not len(rows) and not request.asked:
            any_item = bool(len(np.setdiff1d(table.shown_rows(), out)))
        return finish(table, rows, scores, any_item)

    def near(self, request: Request, nearest: Nearest, user: User, out: Rows) -> Ranked:
        """The best of what an index proposes, and of all that is not in it as it stands."""
        table = request.table
        fresh = nearest.changed(table.vectors)
        if user.cold == "popularity" or len(fresh) > ROWS:
            return self.best(request, user, out)

        def keep(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
            kept = (rows < table.count) & ~np.isin(rows, out) & ~np.isin(rows, fresh)
            kept[kept] = ~table.hidden_among(rows[kept])
            return kept

        proposed = nearest.find(user.vectors, request.k, keep)
        if proposed is None:
            return self.best(request, user, out)
        return self.among(request, user, np.setdiff1d(np.union1d(proposed, fresh), out))

    def among(self, request: Request, user: User, rows: Rows) -> Ranked:
        """The best of some rows, which ascend."""
        table, found = request.table, Best(request.k)
        rows = rows[~table.hidden_among(rows)]
        for asked in request.asked:
            rows = rows[asked.fits(asked.values[rows])]
        for start in range(0, len(rows), ROWS):
            part = rows[start : start + ROWS]
            scores = self.some(request, user, part)
            if request.boost is not None:
                scores = scores + request.boost.of(part)
            found.offer(scores, part)
        return finish(table, *found.settle(), bool(len(rows)))

    def block(self, request: Request, user: User, number: int, size: int) -> F32:
        """The scores [n] of a block."""
        table, start = request.table, number * ROWS
        if user.cold is not None:
            cold = self.cold.scores(user, table, np.arange(start, start + size))
            if cold is not None:
                return cold
        if self.scorer.inner_product and (request.prior is not None or not self.reads_moment):
            prior = None if request.prior is None else request.prior[start : start + size]
            return self.scorer.calibrated(table.vectors.product(number, user.vectors), prior)
        context = table.context(np.arange(start, start + size), request.moment)
        return self.scorer.one(user.vectors, table.vectors.parts[number][:size], context)

    def some(self, request: Request, user: User, rows: Rows) -> F32:
        """The scores [P] of some rows."""
        table = request.table
        cold = self.cold.scores(user, table, rows)
        if cold is not None:
            return cold
        prior = None if request.prior is None else request.prior[rows]
        context = None if prior is not None else table.context(rows, request.moment)
        return self.scorer.one(user.vectors, table.vectors[rows], context, prior)

    @property
    def reads_moment(self) -> bool:
        return self.scorer.reads_moment

    def prior(self, table: Table, moment: int | None) -> F32 | None:
        """What the moment adds to the score of every item, where that is an inner product and a
        sum. The last answer is kept, for many users come at one moment."""
        if not self.scorer.inner_product or not self.scorer.reads_moment:
            return None
        counters = table.counters
        version = None if counters is None else (id(counters), counters.version)
        key = (table.count, version, moment)
        known = self.known_prior
        if known is None or known[0] != key:
            rows = np.arange(table.count)
            known = (key, self.scorer.prior(table.vectors, table.context(rows, moment)))
            self.known_prior = known
        return known[1]

    def similar(self, item: Id, k: int, where: Filter | None) -> Ranked:
        """What `Model.similar` gives."""
        table = self.items.table
        own = known_row(table, item)
        if self.scorer.prefixed:
            raise RequestError(
                "an item of this model is its words and has no vector, so no item is near another",
                "export a model of vectors, such as one that ends in `predict Cosine`",
            )
        vector = table.vectors[np.array([own])][0]
        length = float(np.linalg.norm(vector))
        found, asked = Best(k), ask(table.columns, where)
        for number, gone in enumerate(leave_out(table, np.array([own]))):
            start = number * ROWS
            size = min(ROWS, table.count - start)
            chosen = choose(asked, number, size, gone)
            part: F32 = table.vectors.parts[number][:size][chosen]
            lengths = np.sqrt(np.einsum("pd,pd->p", part, part)) * np.float32(length)
            with np.errstate(divide="ignore", invalid="ignore"):
                # What has no direction has no angle either: 0 / 0 is NaN, and never among the best.
                cosines = product(part, vector) / lengths
            if isinstance(chosen, slice):
                cosines[gone] = np.nan
                found.offer(cosines, start)
            else:
                found.offer(cosines, chosen + start)
        return finish(table, *found.settle(), False)


def refuse_beside(**given: object) -> None:
    """RequestError for what an index cannot be asked for."""
    for name, value in given.items():
        if value is not None:
            raise RequestError(
                f"approximate search takes no `{name}`", f"leave out `{name}` or `approximate`"
            )


def choose(asked: Sequence[Asked], number: int, size: int, out: Rows) -> slice | NDArray[np.intp]:
    """What is to be scored of a block: all of it where nothing is asked, else the rows, from its
    start, that fit and are not out."""
    if not asked:
        return slice(None)
    fits = np.ones(size, dtype=bool)
    for one in asked:
        fits &= one.fits(one.values.parts[number][:size])
    fits[out] = False
    return np.flatnonzero(fits)


def leave_out(table: Table, out: Rows) -> Sequence[Rows]:
    """What is not scored of each block, from its start: what is hidden, and these rows."""
    left: list[Rows] = list(table.hidden)
    for number, places in grouped(out):
        left[number] = np.concatenate([left[number], out[places] - number * ROWS])
    return left


def finish(table: Table, rows: Rows, scores: F32, any_item: bool) -> Ranked:
    """The ids and scores of the best. Raises BundleError where there were items and no number."""
    if any_item and not len(rows):
        raise BundleError(
            "the model gives no number for any item and this user",
            "export it again; `legoc verify` finds what is not finite",
        )
    return [table.names[row] for row in rows.tolist()], scores


def excluded_rows(table: Table, names: Sequence[str]) -> Rows:
    """The rows of some ids, ascending; ids that are no items have none."""
    if not names:
        return NOTHING
    rows = np.unique(np.array([table.places.get(name) for name in names], dtype=np.int64))
    return rows[rows > 0]


def each_ids(given: Iterable[Iterable[Id]] | None, count: int, what: str) -> list[list[str]] | None:
    """A list of ids per user. RequestError where there is not one for each."""
    if given is None:
        return None
    lists = as_list(given, what, EACH)
    if len(lists) != count:
        raise RequestError(f"{count} users and {len(lists)} lists of {what[4:]}", EACH)
    return [as_ids(ids, what) for ids in lists]
