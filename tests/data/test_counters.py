"""Counts up to a moment, against plain Python."""

import math

import numpy as np
import pytest

from legoc.data.indexing.counters import ClickTimes, Counter, first_moments


HOUR = 3_600_000_000


def brute(clicks, item, moment, span):
    """The definition: every click strictly before, each with its own weight."""
    return sum(
        math.exp(-((moment - when) / 1e6) / span)
        for clicked, when in clicks
        if clicked == item and when < moment
    )


@pytest.mark.parametrize("span", [1800.0, 86400.0, math.inf])
@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_definition(span, seed):
    draw = np.random.default_rng(seed)
    rows, count = 6, int(draw.integers(0, 200))
    items = draw.integers(1, rows, count).astype(np.int32)
    # Few distinct moments, so that many clicks share one.
    moments = draw.integers(0, 60, count) * HOUR // 4
    counter = Counter.of(ClickTimes.of(items, moments, rows), span)
    asked = draw.integers(0, rows, 300).astype(np.int32)
    when = draw.integers(-4, 70, 300) * HOUR // 4
    expected = [
        brute(list(zip(items, moments, strict=True)), item, moment, span)
        for item, moment in zip(asked, when, strict=True)
    ]
    assert counter.at(asked, when) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_click_is_not_before_itself():
    items, moments = np.array([1, 1], np.int32), np.array([5, 5])
    counter = Counter.of(ClickTimes.of(items, moments, 2), math.inf)
    assert counter.at(items, moments).tolist() == [0, 0]
    assert counter.at(items, moments + 1).tolist() == [2, 2]


def test_long_pauses_neither_overflow_nor_forget_the_last_click():
    moments = np.array([0, 10**15, 10**15 + 1_000_000])
    counter = Counter.of(ClickTimes.of(np.ones(3, np.int32), moments, 2), 3600.0)
    found = counter.at(np.ones(1, np.int32), np.array([10**15 + 2_000_000]))
    assert found == pytest.approx([math.exp(-2 / 3600) + math.exp(-1 / 3600)])


def test_first_moments():
    found = first_moments(np.array([2, 1, 2], np.int32), np.array([9, 5, 3]), 4)
    assert found.tolist() == [np.iinfo(np.int64).max, 5, 3, np.iinfo(np.int64).max]
