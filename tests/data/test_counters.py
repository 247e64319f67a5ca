"""Counts up to a moment, against plain Python."""

import math

import numpy as np
import pytest

from legoc.data.indexing.counters import Counter, EventTimes, first_moments


HOUR = 3_600_000_000


def brute(clicks, item, moment, span):
    """The definition: every click strictly before, each with its own weight."""
    return sum(
        count * math.exp(-((moment - when) / 1e6) / span)
        for clicked, when, count in clicks
        if clicked == item and when < moment
    )


def times_of(items, moments, rows):
    """Every moment a single click."""
    return EventTimes.of(items, moments, np.ones(len(items), np.int32), rows)


@pytest.mark.parametrize("span", [1800.0, 86400.0, math.inf])
@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_definition(span, seed):
    draw = np.random.default_rng(seed)
    rows, count = 6, int(draw.integers(0, 200))
    items = draw.integers(1, rows, count).astype(np.int32)
    # Few distinct moments, so that many clicks share one, and some have several.
    moments = draw.integers(0, 60, count) * HOUR // 4
    clicks = draw.integers(1, 4, count).astype(np.int32)
    counter = Counter.of(EventTimes.of(items, moments, clicks, rows), span)
    asked = draw.integers(0, rows, 300).astype(np.int32)
    when = draw.integers(-4, 70, 300) * HOUR // 4
    expected = [
        brute(list(zip(items, moments, clicks, strict=True)), item, moment, span)
        for item, moment in zip(asked, when, strict=True)
    ]
    assert counter.at(asked, when) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_click_is_not_before_itself():
    items, moments = np.array([1, 1], np.int32), np.array([5, 5])
    counter = Counter.of(times_of(items, moments, 2), math.inf)
    assert counter.at(items, moments).tolist() == [0, 0]
    assert counter.at(items, moments + 1).tolist() == [2, 2]


def test_long_pauses_neither_overflow_nor_forget_the_last_click():
    moments = np.array([0, 10**15, 10**15 + 1_000_000])
    counter = Counter.of(times_of(np.ones(3, np.int32), moments, 2), 3600.0)
    found = counter.at(np.ones(1, np.int32), np.array([10**15 + 2_000_000]))
    assert found == pytest.approx([math.exp(-2 / 3600) + math.exp(-1 / 3600)])


def test_the_order_of_the_clicks_does_not_count():
    """A log whose clock goes back is sorted like any other."""
    draw = np.random.default_rng(5)
    items, moments = draw.integers(1, 4, 50).astype(np.int32), draw.integers(0, 99, 50) * HOUR
    mixed = draw.permutation(50)
    asked, when = np.arange(4, dtype=np.int32), np.full(4, 60 * HOUR)
    sorted_, shuffled = (
        Counter.of(times_of(items[order], moments[order], 4), 7200.0).at(asked, when)
        for order in (np.argsort(moments), mixed)
    )
    assert sorted_.tolist() == shuffled.tolist()


def test_first_moments():
    found = first_moments(np.array([2, 1, 2], np.int32), np.array([9, 5, 3]), 4)
    assert found.tolist() == [np.iinfo(np.int64).max, 5, 3, np.iinfo(np.int64).max]
