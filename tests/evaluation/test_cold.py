"""Which rows are cold, against loops over every group."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legoc.data.indexing.log import Log
from legoc.data.reading.inputs import IdTable
from legoc.evaluation import evaluate_log
from legoc.evaluation.cold import mark_cold
from legoc.evaluation.public import novelty
from legoc.language.ir.spec import Call


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
    expected = {"new users": [], "no clicks before": []}
    for row in range(log.rows):
        history = log.history[row]
        expected["new users"].append(log.user[history] == 0)
        expected["no clicks before"].append(log.starts[history] == log.starts[history + 1])
    found = mark_cold(log)
    assert {name: mask.tolist() for name, mask in found.items()} == expected
    assert all(0 < mask.sum() < log.rows for mask in found.values())


def test_what_does_not_occur_is_left_out():
    log = make_log(0)
    everybody = Log(**{**vars(log), "user": np.ones_like(log.user)})
    assert "new users" not in mark_cold(everybody)
    unlabelled = Log(**{**vars(log), "label": np.full_like(log.label, np.nan)})
    assert mark_cold(unlabelled) == {}


class Table:
    """Scores of a table of items alone: the known have learned theirs, the others stand at chance,
    at a level of their own."""

    name = "table"
    reads_user = False

    def __init__(self, scores):
        self.scores = scores

    def encode_items(self, inputs):
        return self.scores

    def encode_users(self, items, clicks, users):
        return [len(block) for block in clicks]

    def score(self, users, items, owner, candidates, context=None):
        return items[candidates].astype(np.float32)


@pytest.mark.parametrize("level", [-100.0, 100.0])
def test_new_items_are_compared_with_new_items(level):
    """A model that knows nothing of a new item is at chance on them, wherever it puts them."""
    random = np.random.default_rng(0)
    known = np.arange(400) < 200
    scores = random.standard_normal(400) + np.where(known, 0, level)
    rows = 8000
    log = Log(
        clicks=np.zeros(0, np.int32), starts=np.zeros(401, np.int64),
        user=np.ones(400, np.int32), history=np.repeat(np.arange(400, dtype=np.int32), 20),
        item=random.integers(1, 400, rows).astype(np.int32),
        label=(random.random(rows) < 0.3).astype(np.float32),
        group=np.repeat(np.arange(400, dtype=np.int32), 20),
    )  # fmt: skip
    prepared = SimpleNamespace(training_items=known)
    report = evaluate_log(
        Table(scores), IdTable.of(400), log, [Call(op="GAUC")], slices=novelty(prepared, log)
    )
    new = log.item >= 200
    values = []
    for group in range(400):
        here = new & (log.group == group)
        labels = log.label[here]
        if 0 < labels.sum() < len(labels):
            values.append(roc_auc_score(labels, scores[log.item[here]]))
    assert report.slices["new"]["GAUC"].value == pytest.approx(np.mean(values), abs=1e-6)
    assert report.slices["new"]["GAUC"].count == len(values)
    assert report.slices["new"]["GAUC"].value == pytest.approx(0.5, abs=0.03)
