"""Training batches by (epoch, step): any of them can be made at any time, always the same.

Negatives and orders are drawn from counters (`draws`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from legoc.data.batching.assembly import BUCKETS, Samples, assemble, assemble_share
from legoc.data.batching.batch import Batch
from legoc.data.batching.draws import draw
from legoc.data.batching.negatives import Clicked, Pool, Shown, fill, labels_of
from legoc.data.batching.others import Others
from legoc.data.indexing.log import I64, Log
from legoc.data.prepare import Prepared
from legoc.data.reading.inputs import ItemInputs
from legoc.language.diagnosing.diagnostics import fail


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """The batches of training: `batch(epoch, step)`, steps 0 ... `steps` - 1 in every epoch.

    rows: training rows of an epoch. Batches depend on nothing but the seed, epoch and step, so a
    resumed run continues where it stopped and any number of workers may share the steps.
    """

    log: Log
    inputs: ItemInputs
    rows: int
    size: int
    buckets: int
    samples: Callable[[int, int], Samples]

    @property
    def steps(self) -> int:
        return -(-self.rows // self.size)

    def batch(self, epoch: int, step: int, share: tuple[int, int] = (0, 1)) -> Batch:
        """The batch of a step; the last of an epoch holds what is left. share: (n, of), its n-th
        part of so many; what is drawn is drawn for the whole batch."""
        if not 0 <= step < self.steps:
            raise IndexError(f"step {step} of {self.steps}")
        samples = self.samples(epoch, step)
        if share == (0, 1):
            return assemble(self.log, self.inputs, samples, self.buckets)
        return assemble_share(self.log, self.inputs, samples, self.buckets, share)


def matching_batches(
    prepared: Prepared,
    *,
    batch: int,
    seed: int,
    negatives: int = 4,
    pool: str = "impression",
    samples: int | None = None,
    buckets: int = BUCKETS,
) -> Sampler:
    """One row per click of `train`, the positive first, then `negatives` items (OPERATORS 7).

    pool: `impression` (non-clicks of the same impression; a shortage is filled with uniform items
    the user never clicked), `uniform`, `popularity`, `category`, `batch` (clicks of other rows of
    the batch that the user never clicked; a place that none is left for is masked) or `mixed` (so
    the larger half, the others uniform). Negatives are drawn anew for every (seed, epoch, step),
    from items that training shows. samples: rows drawn per epoch. buckets: length buckets at most;
    1 for models that flatten.
    """
    log, items = prepared.logs["train"], prepared.rows.items
    hits = np.flatnonzero(np.asarray(log.label) > 0)
    check_rows(len(hits), "clicks")
    clicked = Clicked.of(log, items)
    shown = Shown.of(log, items) if pool == "impression" else None
    pools = list_pools(prepared, pool)
    others = Others.of(log.item[hits], prepared.training_items, clicked, pool, negatives)
    order = shuffled(len(hits), seed, samples)

    def sample(epoch: int, step: int) -> Samples:
        rows = hits[order(epoch)[step * batch : (step + 1) * batch]]
        rng = draw(seed, epoch, step, "negatives")
        positives, history = log.item[rows], log.history[rows]
        chosen = np.zeros((len(rows), negatives), dtype=np.int32)
        if shown is not None:
            found = shown.choose(rng, log.group[rows], negatives)
            chosen = np.where(found < 0, 0, log.item[found]).astype(np.int32)
        users, near = log.user[history], chosen[:, :0]
        if others is not None:
            near = others.choose(rng, positives, users, others.amount)
        chosen = fill(rng, chosen[:, near.shape[1] :], positives, users, clicked, pools)
        candidates = np.concatenate([positives[:, None], near, chosen], axis=1)
        masked = candidates == 0
        # A masked place holds an item that is encoded anyway, and no zeros.
        candidates = np.where(masked, positives[:, None], candidates)
        return Samples(
            history=history,
            candidates=candidates,
            labels=labels_of(len(rows), negatives),
            offsets=None if others is None else others.offsets(candidates, masked),
            moment=moments_of(log, rows),
        )

    return Sampler(
        log=log, inputs=prepared.inputs, rows=count_rows(len(hits), samples), size=batch,
        buckets=buckets, samples=sample,
    )  # fmt: skip


def list_pools(prepared: Prepared, pool: str) -> tuple[Pool, ...]:
    """What negatives are drawn from: the pool of that name, then all items training shows."""
    uniform = Pool.uniform(prepared.training_items)
    if pool == "popularity":
        return Pool.popularity(prepared.training_items, prepared.logs["train"]), uniform
    if pool == "category":
        return Pool.category(prepared.training_items, prepared.categories()), uniform
    return (uniform,)


def ranking_batches(
    prepared: Prepared,
    *,
    batch: int,
    seed: int,
    negatives: int | None = None,
    pool: str | None = None,
    samples: int | None = None,
    buckets: int = BUCKETS,
) -> Sampler:
    """Every labelled row of `train`, or with `negatives` each click and so many negatives as rows
    of their own, drawn anew in every epoch.

    pool: as in `matching_batches`, `impression` unless given; it goes with `negatives`.
    """
    log = prepared.logs["train"]
    label = np.asarray(log.label)
    if negatives is None:
        known = np.flatnonzero(~np.isnan(label))
        check_rows(len(known), "labelled rows")
        if not (label == 0).any():
            raise fail(
                "E0627",
                "the training part has clicks and no non-clicks: there is nothing to rank",
                "write `task = ranking(negatives=4)` to draw some, or `task = matching`",
            )
        return ranked(prepared, known, batch, seed, samples, buckets)
    hits = np.flatnonzero(label > 0)
    check_rows(len(hits), "clicks")
    return ranked_drawn(
        prepared, hits, batch, seed, negatives, pool or "impression", samples, buckets
    )


def ranked(
    prepared: Prepared, rows: I64, batch: int, seed: int, samples: int | None, buckets: int
) -> Sampler:
    """Batches of single candidates: the rows in a shuffled order."""
    log = prepared.logs["train"]
    order = shuffled(len(rows), seed, samples)

    def sample(epoch: int, step: int) -> Samples:
        here = rows[order(epoch)[step * batch : (step + 1) * batch]]
        return Samples(
            history=log.history[here],
            candidates=log.item[here][:, None],
            labels=log.label[here][:, None],
            moment=moments_of(log, here),
        )

    return Sampler(
        log=log, inputs=prepared.inputs, rows=count_rows(len(rows), samples), size=batch,
        buckets=buckets, samples=sample,
    )  # fmt: skip


def ranked_drawn(
    prepared: Prepared,
    hits: I64,
    batch: int,
    seed: int,
    negatives: int,
    pool: str,
    samples: int | None,
    buckets: int,
) -> Sampler:
    """Batches of single candidates: each click and its `negatives`, as rows in a shuffled order.

    With the pool `impression` they are non-clicks of the click's impression, without repetition;
    where it has too few, as in every other pool, they are items the user never clicked. With
    `batch` each is the click of another row of the batch, whether that is there as a click or as
    one of its negatives.
    """
    log, items = prepared.logs["train"], prepared.rows.items
    clicked = Clicked.of(log, items)
    pools = list_pools(prepared, pool)
    shown = Shown.of(log, items) if pool == "impression" else None
    others = Others.of(log.item[hits], prepared.training_items, clicked, pool, negatives)
    groups = np.asarray(log.group)[hits]
    total = len(hits) * (1 + negatives)
    order = shuffled(total, seed, samples)

    @lru_cache(maxsize=1)
    def offered(epoch: int) -> I64 | None:
        """Rows of non-clicks of an epoch, a line per click; -1 where there is none."""
        if shown is None or not len(shown.rows):
            return None
        return shown.choose(draw(seed, epoch, 0, "rows"), groups, negatives)

    def sample(epoch: int, step: int) -> Samples:
        place = order(epoch)[step * batch : (step + 1) * batch]
        click, slot = place % len(hits), place // len(hits) - 1
        rows, drawn, given = hits[click], slot >= 0, offered(epoch)
        positives, history = log.item[rows], log.history[rows]
        chosen = np.zeros(len(rows), dtype=np.int32)
        if given is not None:
            found = given[click, np.maximum(slot, 0)]
            chosen = np.where(found < 0, 0, log.item[found]).astype(np.int32)
        chosen = np.where(drawn, chosen, positives)[:, None].astype(np.int32)
        rng = draw(seed, epoch, step, "negatives")
        users, masked = log.user[history], np.zeros(chosen.shape, dtype=bool)
        if others is not None:
            near = (drawn & (slot < others.amount))[:, None]
            found = others.choose(rng, positives, users, 1)
            masked = near & (found == 0)
            chosen = np.where(masked, positives[:, None], np.where(near, found, chosen))
        chosen = fill(rng, chosen, positives, users, clicked, pools)
        return Samples(
            history=history,
            candidates=chosen,
            labels=(~drawn).astype(np.float32)[:, None],
            offsets=None if others is None else others.offsets(chosen, masked),
            moment=moments_of(log, rows),
        )

    return Sampler(
        log=log, inputs=prepared.inputs, rows=count_rows(total, samples), size=batch,
        buckets=buckets, samples=sample,
    )  # fmt: skip


def moments_of(log: Log, rows: I64) -> I64 | None:
    """The moments of some rows, where anything depends on them."""
    return None if log.context is None else log.moment[rows]


def shuffled(rows: int, seed: int, samples: int | None) -> Callable[[int], I64]:
    """The order of an epoch: a permutation of the rows, cut to `samples`; the last is kept."""

    @lru_cache(maxsize=1)
    def order(epoch: int) -> I64:
        return draw(seed, epoch, 0, "order").permutation(rows)[:samples]

    return order


def count_rows(rows: int, samples: int | None) -> int:
    return rows if samples is None else min(rows, samples)


def check_rows(rows: int, what: str) -> None:
    if not rows:
        raise fail(
            "E0627",
            f"the training part has no {what}",
            "look at what `legoc data` counts for `train`, or choose another `split` or `task`",
        )
