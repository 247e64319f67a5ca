"""Full ranking against plain Python: the whole catalogue scored, sorted and counted by hand."""

from itertools import permutations

import numpy as np
import pytest

from legoc.data.indexing.log import Log
from legoc.evaluation import products
from legoc.evaluation.alike import first_alike
from legoc.evaluation.catalogue import Catalogue, name_catalogue, seen_in
from legoc.evaluation.compute import build_metric, compute, metric_name
from legoc.evaluation.full_ranking import rank_log
from legoc.evaluation.placed import to_ranking
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


METRICS = [
    Call(op="GAUC"), Call(op="MRR"), Call(op="MRR0"), Call(op="LRAP"), Call(op="MAP"),
    *(Call(op=op, args={"k": k}) for op in ("NDCG", "Recall", "Precision", "HitRatio", "MAP")
      for k in (1, 3, 10)),
]  # fmt: skip


class Inputs:
    ports = ()

    def __init__(self, count):
        self.lengths = np.ones(count, dtype=np.int32)


class Vectors:
    """An engine whose items are given vectors; a user is the sum of his clicks and a constant."""

    name = "vectors"
    reads_user = False

    def __init__(self, items, predict="Dot"):
        self.items, self.predict, self.scored = items, predict, 0
        self.items[0] = 0

    def encode_items(self, inputs):
        return self.items

    def encode_users(self, items, clicks, users):
        made = [items[block].sum(axis=1) + 1 for block in clicks]
        return np.concatenate([np.zeros((0, items.shape[1]), np.float32), *made])

    def score(self, users, items, owner, candidates, context=None):
        self.scored += len(owner)
        found = np.einsum("pd,pd->p", users[owner], items[candidates])
        if self.predict == "Cosine":
            norms = np.linalg.norm(users[owner], axis=1) * np.linalg.norm(items[candidates], axis=1)
            found = found / np.maximum(norms, 1e-8)
        if context is not None:
            found = found + 3 * context[:, 0]
        return found.astype(np.float32)


class Moments:
    """Numbers of a moment that put other items first each time."""

    def at(self, items, moments):
        return ((items * 7 + moments) % 5).astype(np.float32)[:, None]


def make_log(items, groups=12, seed=0, moments=False):
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 6, groups)
    rows = int(sizes.sum())
    lengths = random.integers(0, 5, 9)
    label = random.integers(0, 2, rows).astype(np.float32)
    group = np.repeat(np.arange(groups), sizes)
    label[group == 0], label[group == 1] = 0, 1
    label[group == 2] = np.nan
    return Log(
        clicks=random.integers(1, items, lengths.sum()).astype(np.int32),
        starts=np.cumsum([0, *lengths]).astype(np.int64),
        user=np.zeros(9, dtype=np.int32),
        # Rows of one group may have several histories: users are groups, too.
        history=random.integers(0, 9, rows).astype(np.int32),
        item=random.integers(1, items, rows).astype(np.int32),
        label=label,
        group=group.astype(np.int32),
        moment=random.integers(0, 50, rows).astype(np.int64) if moments else np.zeros(0, np.int64),
        context=Moments() if moments else None,
    )


def by_hand(engine, log, chosen, allowed):
    """Rows of (group, item, score, label) of every list, written down one by one."""
    rows = []
    users = {}
    for group in sorted(set(log.group.tolist())):
        own = [r for r in range(log.rows) if log.group[r] == group and log.label[r] == log.label[r]]
        clicked = {int(log.item[r]) for r in own if log.label[r] == 1 and log.item[r] in allowed}
        if not clicked:
            continue
        first = min(own, key=lambda r: (int(log.moment[r]) if len(log.moment) else 0, r))
        h = log.history[first]
        history = log.clicks[log.starts[h] : log.starts[h + 1]].tolist()
        users[group] = (
            engine.items[history].sum(axis=0) + 1
            if history
            else np.ones(engine.items.shape[1], np.float32)
        )
        for item in sorted(chosen):
            if item in history and item not in clicked:
                continue
            context = None
            if log.context is not None:
                context = log.context.at(np.array([item]), log.moment[[first]])
            score = engine.score(
                users[group][None].astype(np.float32), engine.items, np.array([0]),
                np.array([item]), context,
            )[0]  # fmt: skip
            rows.append((group, item, float(score), float(item in clicked)))
    return rows


def measured(engine, log, offered, known=None, predict=None, part=None):
    catalogue = Catalogue.of(offered, known)
    queries, placed, _, pairs = rank_log(
        engine, Inputs(len(offered)), log, predict or engine.predict, catalogue, seen_in(log)
    )
    classes = range(len(catalogue.ends)) if part is None else [catalogue.names.index(part)]
    groups = len(np.unique(log.group[~np.isnan(log.label)]))
    ranking = to_ranking(queries, placed, list(classes), np.ones(len(queries), dtype=bool), groups)
    return ranking, pairs


def compare(ranking, rows, metrics=METRICS):
    found = compute(metrics, [r[2] for r in rows], [r[3] for r in rows], [r[0] for r in rows])
    for call in metrics:
        values = build_metric(call).measure(ranking)
        expected = found[metric_name(call)]
        assert ranking.groups == expected.count
        if expected.count:
            assert values.mean() == pytest.approx(expected.value, abs=1e-9), metric_name(call)


@pytest.mark.parametrize("by", ["products", "pairs"])
@pytest.mark.parametrize("seed", range(6))
def test_every_metric_is_that_of_the_catalogue_written_down(by, seed):
    count = 30
    random = np.random.default_rng(seed)
    # Few whole numbers: most lists have ties, between positives too.
    items = random.integers(-1, 2, (count, 3)).astype(np.float32)
    log = make_log(count, seed=seed)
    offered = np.ones(count, dtype=bool)
    offered[[0, 27, 28]] = False
    chosen = set(np.flatnonzero(offered).tolist())
    engine = Vectors(items)
    rows = by_hand(engine, log, chosen, chosen)
    engine.scored = 0
    ranking, pairs = measured(engine, log, offered, predict="Dot" if by == "products" else "DNN")
    compare(ranking, rows)
    lists = len({row[0] for row in rows})
    assert (engine.scored == pairs == lists * 27) if by == "pairs" else engine.scored == 0 == pairs
    assert len({row[2] for row in rows}) < len(rows) / 4
    # Each part against its like.
    known = random.integers(0, 2, count).astype(bool)
    for part, mask in (("known", known), ("new", ~known)):
        some = [row for row in rows if mask[row[1]]]
        clicking = {row[0] for row in some if row[3]}
        ranking, _ = measured(engine, log, offered, known, part=part)
        compare(ranking, [row for row in some if row[0] in clicking])


def test_ranks_are_expected_over_the_orders_of_ties():
    # One list: the click and two others share the score 2, one item has more.
    items = np.array([[0], [3], [2], [2], [2], [1]], dtype=np.float32)
    log = Log(
        clicks=np.zeros(0, np.int32), starts=np.zeros(2, np.int64), user=np.zeros(1, np.int32),
        history=np.zeros(2, np.int32), item=np.array([3, 5], np.int32),
        label=np.array([1, 0], np.float32), group=np.zeros(2, np.int32),
    )  # fmt: skip
    offered = np.arange(6) > 0
    ranking, _ = measured(Vectors(items), log, offered)
    orders = list(permutations([2, 3, 4]))
    ranks = [2 + order.index(3) for order in orders]
    for call, per in (
        (Call(op="MRR"), lambda rank: 1 / rank),
        (Call(op="NDCG", args={"k": 3}), lambda rank: (rank <= 3) / np.log2(1 + rank)),
        (Call(op="Recall", args={"k": 2}), lambda rank: float(rank <= 2)),
        (Call(op="GAUC"), lambda rank: (5 - rank) / 4),
    ):
        expected = sum(map(per, ranks)) / len(ranks)
        assert build_metric(call).measure(ranking) == pytest.approx([expected])


@pytest.mark.parametrize("predict", ["Dot", "DNN"])
def test_nothing_to_rank(predict):
    items = np.ones((4, 2), dtype=np.float32)

    def log(labels, chosen):
        n = len(labels)
        return Log(
            clicks=np.zeros(0, np.int32), starts=np.zeros(2, np.int64), user=np.zeros(1, np.int32),
            history=np.zeros(n, np.int32), item=np.array(chosen, np.int32),
            label=np.array(labels, np.float32), group=np.zeros(n, np.int32),
        )  # fmt: skip

    every = np.arange(4) > 0
    no_clicks, _ = measured(Vectors(items), log([0, 0], [1, 2]), every, predict=predict)
    assert (no_clicks.groups, no_clicks.excluded) == (0, 1)
    all_clicked, _ = measured(Vectors(items), log([1, 1, 1], [1, 2, 3]), every, predict=predict)
    assert (all_clicked.groups, all_clicked.excluded) == (0, 1)
    one = np.arange(4) == 2
    alone, _ = measured(Vectors(items), log([1, 0], [2, 1]), one, predict=predict)
    assert (alone.groups, alone.excluded) == (0, 1)
    for ranking in (no_clicks, all_clicked, alone):
        for call in METRICS:
            assert build_metric(call).measure(ranking).shape == (0,)
    tied, _ = measured(Vectors(items), log([1, 0], [2, 1]), every, predict=predict)
    assert build_metric(Call(op="GAUC")).measure(tied) == pytest.approx([0.5])


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_of_the_moment_are_those_of_the_list(seed):
    count = 25
    items = np.random.default_rng(seed).integers(-1, 2, (count, 3)).astype(np.float32)
    log = make_log(count, seed=seed, moments=True)
    offered = np.arange(count) > 0
    chosen = set(range(1, count))
    engine = Vectors(items)
    rows = by_hand(engine, log, chosen, chosen)
    ranking, pairs = measured(engine, log, offered)
    assert pairs
    compare(ranking, rows)


def many(count, groups, most, seed=0):
    """A log of lists with up to so many positives, and vectors that are hardly ever tied."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, most + 1, groups)
    sizes[0] = most
    rows = int(sizes.sum())
    items = random.normal(size=(count, 8)).astype(np.float32)
    # Copies of other items, in other tiles: exact ties.
    items[count // 2 : count // 2 + count // 4] = items[1 : 1 + count // 4]
    lengths = random.integers(0, 30, groups)
    return items, Log(
        clicks=random.integers(1, count, lengths.sum()).astype(np.int32),
        starts=np.cumsum([0, *lengths]).astype(np.int64),
        user=np.zeros(groups, np.int32),
        history=np.repeat(np.arange(groups), sizes).astype(np.int32),
        item=random.integers(1, count, rows).astype(np.int32),
        label=np.ones(rows, np.float32),
        group=np.repeat(np.arange(groups), sizes).astype(np.int32),
    )


def test_blocks_tiles_and_long_lists_agree_with_pairs():
    # More users than a block, more items than a tile, more positives than are compared one by one.
    items, log = many(5000, 300, 40)
    offered = np.arange(5000) > 0
    known = np.random.default_rng(1).random(5000) < 0.6
    for part in (None, "known", "new"):
        ours, _ = measured(Vectors(items), log, offered, known, part=part)
        theirs, pairs = measured(Vectors(items), log, offered, known, "DNN", part)
        assert pairs == 300 * 4999
        np.testing.assert_array_equal(ours.rows, theirs.rows)
        np.testing.assert_array_equal(ours.clicks, theirs.clicks)
        # Sums in another order differ in the last digit, which may swap neighbours.
        for call in METRICS:
            metric = build_metric(call)
            a, b = metric.measure(ours), metric.measure(theirs)
            assert a == pytest.approx(b, abs=2e-3)
            assert a.mean() == pytest.approx(b.mean(), abs=1e-5)


def test_products_count_what_numpy_counts():
    """Against sorted whole products of the same vectors, whole numbers, so that sums are exact."""
    items, log = many(3000, 270, 20, seed=3)
    items = np.round(items * 4).astype(np.float32)
    ours, _ = measured(Vectors(items), log, np.arange(3000) > 0)
    theirs, _ = measured(Vectors(items), log, np.arange(3000) > 0, predict="DNN")
    for name in ("group", "size", "positives", "above", "before", "rows", "clicks", "names"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    assert ours.size.max() > 3


def test_equal_vectors_tie_however_a_product_rounds(monkeypatch):
    items, log = many(3000, 40, 20, seed=5)
    offered = np.arange(3000) > 0
    known = np.arange(3000) % 2 > 0
    rounded = np.matmul

    def rough(a, b, out):
        """A product that is off in the last digit in every other column."""
        rounded(a, b, out=out)
        out[:, ::2] = np.nextafter(out[:, ::2], np.float32(np.inf))

    right, _ = measured(Vectors(items), log, offered, known)
    assert (right.size > right.positives).any()
    monkeypatch.setattr(products.np, "matmul", rough)
    again, _ = measured(Vectors(items), log, offered, known)
    for name in ("size", "above", "before"):
        np.testing.assert_array_equal(getattr(again, name), getattr(right, name))


@pytest.mark.parametrize("width", [0, 1, 2, 4])
def test_the_first_row_that_is_equal(width):
    random = np.random.default_rng(0)
    rows = random.integers(-1, 2, (300, width)).astype(np.float32)
    rows[rows == 0] *= random.choice([-1.0, 1.0], (rows == 0).sum())
    expected = [next(j for j in range(300) if (rows[j] == rows[i]).all()) for i in range(300)]
    assert first_alike(rows).tolist() == expected
    learned = random.normal(size=(300, width)).astype(np.float32)
    learned[200] = learned[7]
    expected = [next(j for j in range(300) if (learned[j] == learned[i]).all()) for i in range(300)]
    assert first_alike(learned).tolist() == expected


def test_cosine_is_ranked_through_unit_vectors():
    items, log = many(400, 50, 6, seed=2)
    items[7] = 0
    ours, pairs = measured(Vectors(items, "Cosine"), log, np.arange(400) > 0)
    assert not pairs
    theirs, _ = measured(Vectors(items, "Cosine"), log, np.arange(400) > 0, predict="DNN")
    for call in METRICS:
        metric = build_metric(call)
        assert metric.measure(ours) == pytest.approx(metric.measure(theirs), abs=2e-2)
        assert metric.measure(ours).mean() == pytest.approx(metric.measure(theirs).mean(), abs=1e-3)


@pytest.mark.parametrize("predict", ["Dot", "Cosine", "DNN"])
def test_the_first_items_are_those_of_a_sorted_list(predict):
    items, log = many(2500, 30, 3, seed=4)
    items = np.round(items).astype(np.float32)
    items[:, 2:] = 0
    offered = np.arange(2500) > 0
    known = np.arange(2500) % 3 > 0
    engine = Vectors(items, "Cosine" if predict == "Cosine" else "Dot")
    queries, placed, _, _ = rank_log(
        engine, Inputs(2500), log, predict, Catalogue.of(offered, known), seen_in(log), top=7
    )
    assert placed.best is not None
    if predict == "Cosine":
        # Cosines of different rounding: only that the lists are whole.
        assert np.bincount(placed.best.owner).tolist() == [7] * len(queries)
        return
    rows = by_hand(engine, log, set(range(1, 2500)), set(range(1, 2500)))
    for query, group in enumerate(queries.group.tolist()):
        own = sorted((-score, item) for g, item, score, _ in rows if g == group)
        got = placed.best.item[placed.best.owner == query].tolist()
        assert got == [item for _, item in own[:7]]


def test_scores_that_are_not_finite_are_refused():
    items, log = many(60, 5, 2)
    items[9] = np.inf
    with pytest.raises(LegoError, match="not finite"), np.errstate(all="ignore"):
        measured(Vectors(items), log, np.arange(60) > 0)


def test_a_catalogue_is_named_by_its_items():
    ids = ["", "a", "b", "c"]
    one = name_catalogue(ids, np.array([False, True, True, False]))
    assert one.startswith("2 items (")
    assert one == name_catalogue(["", "b", "x", "a"], np.array([False, True, False, True]))
    assert one != name_catalogue(ids, np.array([False, True, False, True]))
