"""Random tables of one's own mean what they were made of (`tests.data.fuzz_tables`)."""

import pytest

from tests.data.fuzz_tables import compare, describe


@pytest.mark.parametrize("first", range(0, 300, 20))
def test_random_tables_are_read_as_they_were_made(first):
    wrong = {seed: found for seed in range(first, first + 20) if (found := compare(seed))}
    assert not wrong, "\n".join(f"{seed}: {wrong[seed]}\n{describe(seed)}" for seed in wrong)
