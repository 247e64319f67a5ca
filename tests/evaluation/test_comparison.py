"""Intervals cover, tests find what is there and nothing else."""

import itertools

import numpy as np
import pytest

from legoc.evaluation.comparison import adjust, compare, draws_for, estimate
from legoc.evaluation.group_values import measure_groups
from legoc.evaluation.measured import combine
from tests.evaluation.test_metrics import call


REPETITIONS = 1000
# 99.9 % of binomial counts of 1,000 at 5 % lie within.
BINOMIAL = (0.029, 0.075)


def single(values, better="higher"):
    """A system whose figure is a plain mean."""
    return combine([(np.asarray(values, float), np.ones(len(values)))], better)


def rates(make, repetitions=REPETITIONS, draws=399):
    """How often no difference is called one, and how often the interval has it."""
    rng = np.random.default_rng(5)
    called = covered = 0
    for repetition in range(repetitions):
        pair, truth = make(rng)
        (found,) = compare([pair], draws=draws, seed=repetition)
        called += found.p <= 0.05
        covered += found.interval.low <= truth <= found.interval.high
    return called / repetitions, covered / repetitions


def null_of_metrics(metric, users=60):
    """Two scorers of rows whose labels are drawn anew: neither knows anything. Users have one to
    four impressions and moods of their own, so that impressions of a user are alike."""

    def make(rng):
        impressions = rng.integers(1, 5, users)
        user = np.repeat(np.arange(users), impressions)
        sizes = rng.integers(2, 9, len(user))
        group = np.repeat(np.arange(len(user)), sizes)
        labels = rng.permutation(np.arange(len(group)) % 3 == 0).astype(float)
        mood = rng.normal(0, 0.7, (2, users))
        found = []
        for system in range(2):
            scores = rng.normal(size=len(group)) + mood[system][user[group]] * (labels - 0.5)
            value = measure_groups([call(metric)], scores, labels, group, len(user))[metric]
            found.append(combine([(
                np.bincount(user, value.numerator, minlength=users),
                np.bincount(user, value.denominator, minlength=users),
            )], value.better))  # fmt: skip
        return tuple(found), 0.0

    return make


@pytest.mark.parametrize("metric", ["GAUC", "NDCG(5)"])
def test_under_the_null_five_of_a_hundred_are_called_different(metric):
    called, covered = rates(null_of_metrics(metric))
    assert BINOMIAL[0] <= called <= BINOMIAL[1]
    assert BINOMIAL[0] <= 1 - covered <= BINOMIAL[1]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["AUC", "LogLoss", "F1(0.5)", "MRR"])
@pytest.mark.parametrize("users", [25, 200, 900])
def test_under_the_null_of_every_kind_of_metric_and_size(metric, users):
    called, covered = rates(null_of_metrics(metric, users))
    assert BINOMIAL[0] <= called <= BINOMIAL[1]
    assert BINOMIAL[0] <= 1 - covered <= BINOMIAL[1]


def test_impressions_of_a_user_taken_as_independent_would_call_far_too_many():
    """What clusters are for: one user's impressions share their mood entirely."""

    def make(rng, clustered):
        mood = np.repeat(rng.normal(size=30), 8)
        pair = mood + rng.normal(0, 0.3, 240), rng.normal(0, 0.3, 240)
        if not clustered:
            return tuple(single(each) for each in pair), 0.0
        sums = [(each.reshape(30, 8).sum(1), np.full(30, 8.0)) for each in pair]
        return tuple(combine([each], "higher") for each in sums), 0.0

    apart, _ = rates(lambda rng: make(rng, clustered=False), 200, draws=199)
    together, _ = rates(lambda rng: make(rng, clustered=True), 200, draws=199)
    assert apart > 0.3
    assert together < 0.1


@pytest.mark.parametrize("truth", [0.0, 0.4])
def test_intervals_cover_at_twenty_clusters(truth):
    def make(rng):
        base = rng.normal(size=20)
        return (single(base + truth + rng.normal(size=20)), single(base)), truth

    _, covered = rates(make, draws=999)
    assert BINOMIAL[0] <= 1 - covered <= BINOMIAL[1]


def crossed(seeds, between, clusters=100):
    """Two systems of several seeds that differ by nothing but their trainings."""

    def make(rng):
        base = rng.normal(size=clusters)

        def system():
            own = base + rng.normal(0, 1, clusters)
            return combine([
                (own + rng.normal(0, between) + rng.normal(0, 0.5, clusters), np.ones(clusters))
                for _ in range(seeds)
            ], "higher")  # fmt: skip

        return (system(), system()), 0.0

    return make


@pytest.mark.parametrize("seeds", [2, 4])
def test_seeds_are_no_reason_to_call_anything_different(seeds):
    """Trainings differ as much as 0.2: far more than the clusters say. A comparison that takes the
    trainings as given calls most of them different."""
    called, covered = rates(crossed(seeds, between=0.2), 500)
    assert called <= 0.085
    assert 1 - covered <= 0.085
    one, _ = rates(crossed(1, between=0.6), 200, draws=199)
    assert one > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("between", [0.0, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("clusters", [20, 200])
def test_seeds_of_any_spread(seeds, between, clusters):
    called, covered = rates(crossed(seeds, between, clusters))
    assert called <= BINOMIAL[1]
    assert 1 - covered <= BINOMIAL[1]


def test_a_real_difference_is_found_with_seeds_too():
    rng = np.random.default_rng(2)
    base = rng.normal(size=400)
    ours = [(base + 0.3 + rng.normal(0, 0.5, 400), np.ones(400)) for _ in range(3)]
    theirs = [(base + rng.normal(0, 0.5, 400), np.ones(400)) for _ in range(3)]
    (found,) = compare([(combine(ours, "higher"), combine(theirs, "higher"))])
    assert found.p < 0.01
    assert 0.15 < found.interval.low < 0.3 < found.interval.high < 0.45


def test_the_chance_is_that_of_all_ways_to_change_places():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.5, 1, 10), rng.normal(0, 1, 10)
    (found,) = compare([(single(one), single(other))], draws=20_000)
    difference = one - other
    every = [abs(np.dot(signs, difference)) for signs in itertools.product((1, -1), repeat=10)]
    exact = np.mean(np.array(every) >= abs(difference.sum()) - 1e-9)
    assert found.p == pytest.approx(exact, abs=0.01)


def test_the_interval_is_that_of_t_where_numbers_are_normal():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    for count in (25, 4000):
        one, other = rng.normal(1, 1, count), rng.normal(0, 2, count)
        (found,) = compare([(single(one), single(other))])
        difference = one - other
        low, high = stats.t.interval(
            0.95, count - 1, difference.mean(), difference.std(ddof=1) / np.sqrt(count)
        )
        width = high - low
        assert found.interval.low == pytest.approx(low, abs=0.04 * width)
        assert found.interval.high == pytest.approx(high, abs=0.04 * width)
        (alone,) = estimate([single(one)])
        assert alone.low < one.mean() < alone.high


def test_figures_of_shares_that_differ_are_compared():
    """F1 divides by what each system has chosen: against resampling written out."""
    rng = np.random.default_rng(3)
    one = rng.integers(0, 3, 300) * 2.0, rng.integers(3, 9, 300) * 1.0
    other = rng.integers(0, 4, 300) * 2.0, rng.integers(3, 12, 300) * 1.0
    (found,) = compare([(combine([one], "higher"), combine([other], "higher"))])
    drawn = rng.integers(0, 300, (4000, 300))
    draws = [
        one[0][rows].sum() / one[1][rows].sum() - other[0][rows].sum() / other[1][rows].sum()
        for rows in drawn
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    assert found.interval.low == pytest.approx(low, abs=0.06 * (high - low))
    assert found.interval.high == pytest.approx(high, abs=0.06 * (high - low))


def test_equal_systems_and_no_clusters():
    same = single([0.1, 0.5, 0.9, 0.3])
    (found,) = compare([(same, same)])
    assert (found.p, found.difference) == (1, 0)
    assert (found.interval.low, found.interval.high) == (0, 0)
    (found,) = compare([(single([0.1]), single([0.9]))])
    assert found.p == 1
    assert np.isnan(found.interval.low)
    nothing = combine([(np.zeros(4), np.zeros(4))], "higher")
    (found,) = compare([(nothing, nothing)])
    assert np.isnan(found.difference)
    assert found.p == 1


def test_holm():
    # By hand: 0.01 x 4, 0.015 x 3, 0.03 x 2, 0.2 x 1, each at least the one before.
    found = adjust([0.03, 0.01, 0.2, 0.015])
    assert found == pytest.approx([0.06, 0.04, 0.2, 0.045])
    assert adjust([0.9, 0.8]) == [1.0, 1.0]
    assert adjust([]) == []


def test_many_comparisons_are_drawn_often_enough_to_find_anything():
    for comparisons in (1, 10, 680):
        assert comparisons / (draws_for(comparisons) + 1) < 0.05
