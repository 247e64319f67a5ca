"""What recommendations are like, against plain Python over small lists."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from legoc.evaluation import beyond
from legoc.evaluation.beyond import MEANINGS, About, gini, measure_lists, spread
from legoc.evaluation.ranking import order_rows, rank_rows


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 8, 30)
    group = np.repeat(np.arange(30), sizes).astype(np.int32)
    order = rng.permutation(len(group))
    item = rng.integers(1, 20, len(group)).astype(np.int32)
    scores = rng.integers(0, 5, len(group)).astype(np.float32)
    return group[order], item, scores


def lists(rows, k):
    """The items of each list, best first, by sorting pairs."""
    group, item, scores = rows
    found = {}
    for g in range(30):
        own = [r for r in range(len(group)) if group[r] == g]
        found[g] = [int(item[r]) for r in sorted(own, key=lambda r: (-scores[r], r))[:k]]
    return found


def test_figures_are_those_of_a_loop(rows):
    rng = np.random.default_rng(1)
    clicks = rng.integers(0, 50, 25)
    clicks[0] = 0
    categories = rng.integers(0, 4, 25).astype(np.int32)
    vectors = rng.normal(size=(25, 6)).astype(np.float32)
    vectors[7] = 0
    found = measure_lists(
        *rows, 4, About(clicks=clicks, categories=categories, catalogue=24), vectors
    )
    assert list(found.figures) == list(MEANINGS)
    tops = lists(rows, 4)
    shown = [i for top in tops.values() for i in top]
    offered = set(rows[1].tolist())
    assert found.figures["coverage"] == len(set(shown)) / 24
    assert found.figures["coverage at most"] == len(offered) / 24
    share = {i: (clicks[i] + 1) / (clicks.sum() + 24) for i in range(25)}
    novelty = np.mean([np.mean([-math.log2(share[i]) for i in top]) for top in tops.values()])
    assert found.figures["novelty"] == pytest.approx(novelty)
    offers = [np.mean([clicks[i] for i in rows[1][rows[0] == g]]) for g in range(30)]
    lift = np.mean([np.mean([clicks[i] for i in top]) for top in tops.values()]) / np.mean(offers)
    assert found.figures["popularity lift"] == pytest.approx(lift)

    def differ(i, j):
        return not (categories[i] == categories[j] > 0)

    def distance(i, j):
        a, b = vectors[i].astype(float), vectors[j].astype(float)
        lengths = math.sqrt(sum(a * a) * sum(b * b))
        return 1 - (sum(a * b) / lengths if lengths else 0)

    for name, measure in (
        ("diversity of categories", differ), ("diversity of vectors", distance)
    ):  # fmt: skip
        values = [
            np.mean([measure(i, j) for i, j in itertools.combinations(top, 2)])
            if len(top) > 1 else math.nan
            for top in tops.values()
        ]  # fmt: skip
        np.testing.assert_allclose(found.groups[name], values, atol=1e-6)
        assert found.figures[name] == pytest.approx(np.nanmean(values), abs=1e-6)
    exposure = [shown.count(i) for i in sorted(offered)]
    pairs = sum(abs(a - b) for a in exposure for b in exposure)
    expected = pairs / (2 * len(exposure) ** 2 * np.mean(exposure))
    assert found.figures["gini"] == pytest.approx(expected)


@pytest.mark.parametrize("floats", [1, 12, 18, 40, 1000])
def test_lists_of_every_length_may_end_anywhere_in_a_block(floats, monkeypatch):
    monkeypatch.setattr(beyond, "FLOATS", floats)
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(9, 6)).astype(np.float32)
    vectors[3] = 0
    sizes = [3, 0, 1, 9, 2, 2, 0]
    owner = np.repeat(np.arange(7), sizes).astype(np.int32)
    chosen = rng.integers(0, 9, len(owner))
    lengths = np.linalg.norm(vectors, axis=1)
    cosine = vectors @ vectors.T / np.maximum(np.outer(lengths, lengths), 1e-9)
    expected = []
    for g in range(7):
        pairs = list(itertools.combinations(chosen[owner == g], 2))
        expected.append(np.mean([1 - cosine[i, j] for i, j in pairs]) if pairs else math.nan)
    np.testing.assert_allclose(spread(owner, vectors, chosen, 7), expected, atol=1e-6)


def test_many_lists_of_wide_vectors_take_little_memory():
    """All vectors that are shown would be 40 MB, and twice that as the sums are made."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(50, 256)).astype(np.float32)
    owner = np.repeat(np.arange(10_000, dtype=np.int32), 4)
    chosen = rng.integers(0, 50, len(owner))
    tracemalloc.start()
    try:
        found = spread(owner, vectors, chosen, 10_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 10_000
    assert most < 30e6


def test_gini_of_what_is_plain():
    assert gini(np.array([5, 5, 5])) == 0
    assert gini(np.array([0, 0, 9])) == pytest.approx(2 / 3)
    assert math.isnan(gini(np.array([0, 0])))


def test_rows_of_ragged_groups_stand_by_their_scores(rows):
    group, item, scores = rows
    scores[:4] = -0.0  # which equals 0.0
    order, place = order_rows(group, scores)
    assert (np.diff(group[order]) >= 0).all()
    expected = lists(rows, 7)
    ranks = rank_rows(group, scores)
    for g in range(30):
        found = order[group[order] == g]
        assert item[found].tolist() == expected[g]
        assert place[group[order] == g].tolist() == list(range(len(found)))
        assert ranks[found].tolist() == list(range(1, len(found) + 1))


def test_what_there_is_no_ground_for_is_left_out(rows):
    found = measure_lists(
        *rows, 2, About(clicks=np.zeros(25, int), categories=None, catalogue=24), None
    )
    assert "diversity of vectors" not in found.figures
    assert math.isnan(found.figures["popularity lift"])
    assert found.to_json()["popularity lift"] is None
    nothing = np.zeros(0, np.int32)
    empty = measure_lists(
        nothing, nothing, np.zeros(0, np.float32), 2,
        About(clicks=np.ones(5, int), categories=None, catalogue=4), None,
    )  # fmt: skip
    assert math.isnan(empty.figures["novelty"])
