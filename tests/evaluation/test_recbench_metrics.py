"""The seven metrics of RecBench under their names here, against its definitions: scikit-learn's
where it takes those, a sort of the rows where it sorts."""

import numpy as np
import pytest
from sklearn.metrics import (
    f1_score,
    label_ranking_average_precision_score,
    ndcg_score,
    roc_auc_score,
)

from legoc.evaluation import metric_name
from legoc.language import check
from legoc.language.declaring.shipped import shipped
from tests.evaluation.test_metrics import figures


NAMES = ["GAUC", "NDCG(1)", "NDCG(5)", "LRAP", "F1(0.5)", "Recall(1)", "Recall(5)"]


def recall(k, labels, scores):
    order = sorted(range(len(labels)), key=lambda n: -scores[n])
    return sum(labels[n] for n in order[:k]) / sum(labels)


PER_USER = {
    "GAUC": roc_auc_score,
    "NDCG(1)": lambda y, s: ndcg_score([y], [s], k=1),
    "NDCG(5)": lambda y, s: ndcg_score([y], [s], k=5),
    "LRAP": lambda y, s: label_ranking_average_precision_score([y], [s]),
    "Recall(1)": lambda y, s: recall(1, y, s),
    "Recall(5)": lambda y, s: recall(5, y, s),
}


def test_the_metrics_are_those_of_the_benchmark():
    random = np.random.default_rng(7)
    sizes = random.integers(4, 21, 80)
    group = np.repeat(np.arange(80), sizes).astype(np.int32)
    # A user gives up to ten rows of each label, at least one; no two scores are equal.
    labels = np.concatenate(
        [random.permutation(np.arange(n) < random.integers(1, n)) for n in sizes]
    ).astype(np.float32)  # fmt: skip
    scores = random.permutation(np.linspace(-4, 4, len(group))).astype(np.float32)
    found = figures(NAMES, scores, labels, group)
    for name, measure in PER_USER.items():
        each = [measure(labels[group == g], scores[group == g].astype(float)) for g in range(80)]
        assert found[name].value == pytest.approx(np.mean(each), abs=1e-9), name
        assert found[name].count == 80
    chances = 1 / (1 + np.exp(-scores.astype(np.float64)))
    assert found["F1(0.5)"].value == pytest.approx(f1_score(labels, chances >= 0.5))


def test_the_shipped_spec_asks_for_these():
    specs = check(shipped("specs") / "recbench.lego").specs
    for spec in specs:
        assert [metric_name(each) for each in spec.train.metrics] == NAMES
