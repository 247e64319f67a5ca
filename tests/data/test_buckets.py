"""Buckets are where a search over all cuts would put them; draws are subsets without repetition."""

from itertools import combinations

import numpy as np
import pytest

from legoc.data.batching import buckets as module
from legoc.data.batching.buckets import OVERHEAD, cut_buckets
from legoc.data.batching.draws import choose, draw


def cost(lengths, ends):
    starts = [0, *ends[:-1]]
    return sum(
        (e - s) * max(lengths[e - 1], 1) + OVERHEAD for s, e in zip(starts, ends, strict=True)
    )


def cheapest(lengths, most):
    inner = range(1, len(lengths))
    return min(
        cost(lengths, (*cuts, len(lengths)))
        for count in range(most)
        for cuts in combinations(inner, count)
    )


def test_cuts_are_the_cheapest(rng):
    for most in (1, 2, 3, 4):
        for _ in range(12):
            lengths = np.sort(rng.integers(0, 120, rng.integers(1, 13))).astype(np.int32)
            ends = cut_buckets(lengths, most)
            assert ends[-1] == len(lengths)
            assert (np.diff(ends) > 0).all()
            assert len(ends) <= most
            assert cost(lengths, ends.tolist()) == cheapest(lengths.tolist(), most)


def test_many_lengths_are_cut_well_and_fast_enough(rng):
    lengths = np.sort(rng.integers(1, 400, 3000)).astype(np.int32)
    ends = cut_buckets(lengths, 8)
    assert 4 <= len(ends) <= 8
    even = [len(lengths) * (k + 1) // 8 for k in range(8)]
    assert cost(lengths, ends.tolist()) <= cost(lengths, even) * 1.02
    assert len(np.unique(lengths)) > module.PLACES


def test_equal_lengths_and_nothing():
    assert cut_buckets(np.full(100, 7, dtype=np.int32)).tolist() == [100]
    assert cut_buckets(np.zeros(5, dtype=np.int32)).tolist() == [5]
    assert cut_buckets(np.zeros(0, dtype=np.int32)).tolist() == []


def test_choose_gives_every_subset_alike():
    rng = np.random.default_rng(3)
    drawn = choose(rng, np.full(60000, 5), 2)
    keys, counts = np.unique(np.sort(drawn, axis=1) @ [10, 1], return_counts=True)
    assert len(keys) == 10
    # Ten subsets of 6,000 expected each: five standard deviations are 367.
    assert np.abs(counts - 6000).max() < 367


@pytest.mark.parametrize("amount", [1, 3, 8])
def test_choose_repeats_nothing_and_says_where_it_runs_out(rng, amount):
    counts = rng.integers(0, 12, 500)
    drawn = choose(rng, counts, amount)
    for row, count in zip(drawn.tolist(), counts.tolist(), strict=True):
        real = [place for place in row if place >= 0]
        assert len(set(real)) == len(real) == min(amount, count)
        assert all(place < count for place in real)


def test_draws_follow_their_counters():
    def first(*key):
        return draw(*key).random(4).tolist()

    one = first(7, 2, 3, "negatives")
    assert one == first(7, 2, 3, "negatives")
    others = [
        first(8, 2, 3, "negatives"), first(7, 3, 3, "negatives"), first(7, 2, 4, "negatives"),
        first(7, 3, 2, "negatives"), first(7, 2, 3, "order"),
    ]  # fmt: skip
    assert all(other != one for other in others)
    # A long draw of one step never runs into another step's numbers.
    long = draw(7, 2, 3, "negatives").random(100000)
    assert draw(7, 2, 4, "negatives").random() not in long
