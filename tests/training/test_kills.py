"""Kills at any moment end in the bytes of a job that was never killed: a few of them; all are those
of `python -m benchmarks kills`."""

import pytest

from benchmarks.kills import measure


@pytest.mark.slow
def test_killed_at_any_moment_a_job_ends_in_the_same_bytes():
    fell, differences = measure(kills=4, stops=2, seed=7)
    assert sum(fell.values()) == 6
    assert not differences
