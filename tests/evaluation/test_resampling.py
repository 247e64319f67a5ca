"""Sums over resampled clusters: the weights are those of a plain bootstrap, in blocks too."""

import numpy as np
import pytest

from legoc.evaluation import resampling
from legoc.evaluation.resampling import bootstrap, flip
from legoc.evaluation.student import quantile


def test_few_clusters_are_drawn_as_often_as_there_are_clusters():
    weights = bootstrap(np.eye(20), 3000, seed=1)
    assert (weights.sum(1) == 20).all()
    assert weights.mean(0) == pytest.approx(1, abs=0.08)
    assert weights.var(0) == pytest.approx(1 - 1 / 20, abs=0.12)
    np.testing.assert_allclose(np.corrcoef(weights.T)[0, 1:], -1 / 19, atol=0.08)


@pytest.mark.parametrize("clusters", [600, 700])
def test_weights_in_blocks_are_independent_within_a_draw(clusters, monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", 64)
    monkeypatch.setattr(resampling, "ROWS", 300)
    weights = bootstrap(np.eye(clusters), 2000, seed=1)
    assert set(np.unique(weights)) <= set(range(9))
    assert weights.mean() == pytest.approx(1, abs=0.01)
    assert weights.var() == pytest.approx(1, abs=0.01)
    chances = np.bincount(weights.astype(int).ravel(), minlength=9)[:4] / weights.size
    expected = np.exp(-1) / np.array([1, 1, 2, 6])
    assert chances == pytest.approx(expected, abs=0.004)
    # 600 sums of independent weights in every draw: their variance is that of the sum.
    assert weights.sum(1).var() == pytest.approx(clusters, rel=0.15)
    off = np.corrcoef(weights.T)[~np.eye(clusters, dtype=bool)]
    # The same noise as of 2,000 pairs of independent numbers, and no pair beyond it.
    assert off.std() == pytest.approx(1 / np.sqrt(2000), rel=0.05)
    assert np.abs(off).max() < 6 / np.sqrt(2000)


def test_every_draw_of_every_block_is_used_once(monkeypatch):
    """The sums equal an explicit product with weights that the same generator draws."""
    monkeypatch.setattr(resampling, "BLOCK", 5)
    monkeypatch.setattr(resampling, "ROWS", 4)
    columns = np.random.default_rng(0).normal(size=(23, 2))

    def numbered(rng, count, size):
        drawn = rng.integers(1, 100, (count, size)).astype(np.float32)
        rows.append(drawn)
        return drawn

    rows = []
    found = resampling.project(columns, 11, numbered, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    order, shifts = rng.permutation(23), rng.choice(11, 5, replace=False)
    matrix = np.concatenate(rows)
    expected = np.zeros((11, 2))
    for draw in range(11):
        for place, cluster in enumerate(order):
            block, inside = divmod(place, 5)
            weight = matrix[(draw + shifts[block]) % 11, inside]
            expected[draw] += weight * columns[cluster]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_signs_are_fair_and_independent(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", 50)
    signs = flip(np.eye(120), 2000, seed=4)
    assert set(np.unique(signs)) == {-1, 1}
    assert np.abs(signs.mean(0)).max() < 5 / np.sqrt(2000)
    assert signs.sum(1).var() == pytest.approx(120, rel=0.15)


def test_the_same_seed_draws_the_same():
    columns = np.random.default_rng(0).normal(size=(900, 3))
    np.testing.assert_array_equal(bootstrap(columns, 50, seed=1), bootstrap(columns, 50, seed=1))
    assert not np.array_equal(bootstrap(columns, 50, seed=1), bootstrap(columns, 50, seed=2))


def test_quantiles_of_t_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for level in (0.9, 0.975, 0.9999):
        for freedom in (1, 2, 3, 4, 5, 19, 198, 199, 200, 201, 5000):
            assert quantile(level, freedom) == pytest.approx(stats.t.ppf(level, freedom), rel=1e-6)
    assert quantile(0.975, 0) == np.inf
