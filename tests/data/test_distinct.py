"""Distinct values against a set."""

import pytest

from legoc.data.batching.negatives import distinct


@pytest.mark.parametrize("length", [0, 1, 2, 1000])
def test_against_a_set(rng, length):
    values = rng.integers(-50, 50, length)
    found = distinct(values)
    assert found.tolist() == sorted(set(values.tolist()))
    assert found.dtype == values.dtype
