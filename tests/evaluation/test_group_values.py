"""What groups contribute: it adds up to the figure, and says what a group is worth."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from legoc.evaluation import compute
from legoc.evaluation.group_values import measure_groups
from tests.evaluation.test_metrics import call, sample


NAMES = ("GAUC", "MRR", "NDCG(5)", "HitRatio(3)", "AUC", "LogLoss", "F1(0.5)")


@pytest.mark.parametrize("levels", [3, 1000])
def test_the_parts_of_groups_add_up_to_the_figure(levels):
    scores, labels, group = sample(levels, 80, 7, levels)
    calls = [call(name) for name in NAMES]
    whole = compute(calls, scores, labels, group)
    found = measure_groups(calls, scores, labels, group, 90)
    assert list(found) == list(NAMES)
    for name, value in found.items():
        assert value.figure == pytest.approx(whole[name].value, abs=1e-12), name
        assert value.numerator.shape == value.denominator.shape == (90,)
        assert not value.denominator[80:].any()


def test_a_group_has_the_value_that_it_has_alone():
    scores, labels, group = sample(4, 60, 6, 3)
    calls = [call(name) for name in NAMES]
    found = measure_groups(calls, scores, labels, group, 60)
    for g in range(60):
        own = group == g
        for name in ("GAUC", "MRR", "NDCG(5)", "HitRatio(3)"):
            alone = compute([call(name)], scores[own], labels[own], np.zeros(own.sum(), int))[name]
            value = found[name]
            assert value.denominator[g] == alone.count
            assert value.numerator[g] == pytest.approx(np.nan_to_num(alone.value), abs=1e-12)
        p = 1 / (1 + np.exp(-scores[own].astype(float)))
        losses = -np.log(np.where(labels[own] > 0, p, 1 - p))
        assert found["LogLoss"].numerator[g] == pytest.approx(losses.sum())
        assert found["LogLoss"].denominator[g] == own.sum()
        chosen = p >= 0.5
        assert found["F1(0.5)"].numerator[g] == 2 * (chosen & (labels[own] > 0)).sum()
        assert found["F1(0.5)"].denominator[g] == chosen.sum() + labels[own].sum()


def test_auc_owes_to_a_group_what_a_slight_weight_on_it_changes():
    """The pull of a group is the slope of the weighted AUC in the weight of its rows."""
    scores, labels, group = sample(9, 40, 12, 6)
    found = measure_groups([call("AUC")], scores, labels, group, 40)["AUC"]
    pulls = found.numerator - found.figure * found.denominator
    step = 1e-4
    for g in range(40):
        weights = 1 + step * (group == g)
        moved = sklearn_metrics.roc_auc_score(labels, scores, sample_weight=weights)
        assert (moved - found.figure) / step == pytest.approx(pulls[g], abs=1e-4)


def test_where_a_class_is_missing_there_is_no_figure():
    found = measure_groups([call("GAUC"), call("AUC")], [1.0, 2.0], [1, 1], [0, 1], 2)
    assert np.isnan(found["GAUC"].figure)
    assert np.isnan(found["AUC"].figure)
