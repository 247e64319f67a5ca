"""A sample is whole groups of a log with items numbered anew, and nothing else changes."""

import numpy as np
import pytest

from legoc.data.indexing.log import Log
from legoc.exporting import sample as samples
from legoc.exporting.sample import draw_sample


@pytest.fixture
def log():
    """Five groups of 1 to 5 rows over four histories, one of them empty."""
    sizes = [3, 1, 5, 2, 4]
    return Log(
        clicks=np.array([7, 3, 9, 9, 2, 5], dtype=np.int32),
        starts=np.array([0, 2, 2, 5, 6], dtype=np.int64),
        user=np.array([1, 2, 0, 3], dtype=np.int32),
        history=np.repeat([3, 1, 0, 2, 0], sizes).astype(np.int32),
        item=np.arange(15, 0, -1).astype(np.int32),
        label=(np.arange(15) % 3 == 0).astype(np.float32),
        group=np.repeat(np.arange(5), sizes).astype(np.int32),
    )


def rows(log, items):
    """Each row in terms of the original: user, clicks, item, label."""
    found = []
    for h, i, y in zip(log.history, log.item, log.label, strict=True):
        clicks = log.clicks[log.starts[h] : log.starts[h + 1]]
        found.append((int(log.user[h]), tuple(items[clicks].tolist()), int(items[i]), float(y)))
    return found


def test_a_small_log_is_taken_whole(log):
    taken = draw_sample(log, seed=1, further=np.array([16], dtype=np.int32))
    assert (taken.groups, taken.of) == (5, 5)
    assert rows(taken.log, taken.items) == rows(log, np.arange(17))
    assert taken.items[0] == 0
    assert 16 in taken.items


@pytest.mark.parametrize("seed", range(5))
def test_a_large_log_gives_whole_groups(log, monkeypatch, seed):
    monkeypatch.setattr(samples, "GROUPS", 2)
    taken = draw_sample(log, seed=seed, further=np.zeros(0, dtype=np.int32))
    assert (taken.groups, taken.of) == (2, 5)
    every = rows(log, np.arange(17))
    expected = {g: [every[i] for i in np.flatnonzero(log.group == g)] for g in range(5)}
    found = rows(taken.log, taken.items)
    parts = [[found[i] for i in np.flatnonzero(taken.log.group == g)] for g in range(2)]
    assert all(part in expected.values() for part in parts)
    assert taken.log.histories <= 2


def test_rows_are_bounded_too(log, monkeypatch):
    monkeypatch.setattr(samples, "ROWS", 6)
    assert draw_sample(log, seed=2, further=np.zeros(0, dtype=np.int32)).log.rows <= 6


def test_seeds_differ_and_repeat(log, monkeypatch):
    monkeypatch.setattr(samples, "GROUPS", 2)
    none = np.zeros(0, dtype=np.int32)
    drawn = [
        rows(s.log, s.items) for s in (draw_sample(log, seed=i, further=none) for i in range(6))
    ]
    again = draw_sample(log, seed=0, further=none)
    assert rows(again.log, again.items) == drawn[0]
    assert len({tuple(d) for d in drawn}) > 1
