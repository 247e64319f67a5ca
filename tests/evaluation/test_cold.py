"""Which rows are cold, against loops over every group."""

import numpy as np
import pytest

from legoc.data.indexing.log import Log
from legoc.evaluation.cold import mark_cold


ITEMS = 12


def make_log(seed, groups=40, histories=15):
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 6, groups)
    lengths = random.integers(0, 3, histories)
    rows = int(sizes.sum())
    return Log(
        clicks=random.integers(1, ITEMS, lengths.sum()).astype(np.int32),
        starts=np.cumsum([0, *lengths]).astype(np.int64),
        user=random.integers(0, 4, histories).astype(np.int32),
        history=random.integers(0, histories, rows).astype(np.int32),
        item=random.integers(1, ITEMS, rows).astype(np.int32),
        label=random.choice([0.0, 1.0, np.nan], rows, p=[0.5, 0.4, 0.1]).astype(np.float32),
        group=np.repeat(np.arange(groups), sizes).astype(np.int32),
    )


@pytest.mark.parametrize("seed", range(5))
def test_masks_are_those_of_plain_loops(seed):
    log = make_log(seed)
    known = np.random.default_rng(seed + 100).random(ITEMS) < 0.5
    expected = {"new clicks": [], "new users": [], "no clicks before": []}
    for row in range(log.rows):
        clicked = [
            bool(known[log.item[other]])
            for other in range(log.rows)
            if log.group[other] == log.group[row] and log.label[other] == 1
        ]
        history = log.history[row]
        expected["new clicks"].append(bool(clicked) and not any(clicked))
        expected["new users"].append(log.user[history] == 0)
        expected["no clicks before"].append(log.starts[history] == log.starts[history + 1])
    found = mark_cold(log, known)
    assert {name: mask.tolist() for name, mask in found.items()} == expected
    assert all(0 < mask.sum() < log.rows for mask in found.values())


def test_what_does_not_occur_is_left_out():
    log = make_log(0)
    everybody = Log(**{**vars(log), "user": np.ones_like(log.user)})
    assert "new users" not in mark_cold(everybody, np.ones(ITEMS, bool))
    assert "new clicks" not in mark_cold(everybody, np.ones(ITEMS, bool))
    unlabelled = Log(**{**vars(log), "label": np.full_like(log.label, np.nan)})
    assert mark_cold(unlabelled, np.zeros(ITEMS, bool)) == {}
