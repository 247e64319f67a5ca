"""Every metric against brute force over tied orders, and against scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from legoc.evaluation import better, compute, metric_name
from legoc.evaluation.compute import build_metric
from legoc.evaluation.metrics import METRICS
from legoc.evaluation.ranking import rank
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.evaluation import oracles


def call(text):
    op, _, argument = text.rstrip(")").partition("(")
    if not argument:
        return Call(op=op)
    return Call(op=op, args={METRICS[op].declaration.primary: float(argument) if "." in argument
                             else int(argument)})  # fmt: skip


def figures(names, scores, labels, groups=None):
    groups = np.zeros(len(scores), dtype=np.int32) if groups is None else groups
    return compute([call(name) for name in names], scores, labels, groups)


def sample(seed, groups, size, levels):
    """Random groups; few levels make many ties."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, size + 1, groups)
    group = np.repeat(np.arange(groups), sizes).astype(np.int32)
    scores = (random.integers(0, levels, len(group)) - levels / 2).astype(np.float32)
    labels = (random.random(len(group)) < 0.4).astype(np.float32)
    return scores, labels, group


@pytest.mark.parametrize("levels", [1, 2, 3, 1000])
def test_grouped_metrics_are_the_mean_over_all_orders_of_ties(levels):
    scores, labels, group = sample(levels, 60, 6, levels)
    found = figures(oracles.METRICS, scores, labels, group)
    mixed = [g for g in range(60) if len(set(labels[group == g])) == 2]
    assert 20 < len(mixed) < 60
    for name, oracle in oracles.METRICS.items():
        values = [oracles.expected(oracle, scores[group == g], labels[group == g]) for g in mixed]
        assert found[name].value == pytest.approx(np.mean(values), abs=1e-12), name
        assert (found[name].count, found[name].excluded) == (len(mixed), 60 - len(mixed))


def test_rows_in_any_order_and_groups_apart_give_the_same():
    scores, labels, group = sample(5, 40, 9, 3)
    order = np.random.default_rng(0).permutation(len(scores))
    before = figures(oracles.METRICS, scores, labels, group)
    after = figures(oracles.METRICS, scores[order], labels[order], group[order] * 7 + 3)
    assert {n: f.value for n, f in before.items()} == pytest.approx(
        {n: f.value for n, f in after.items()}, abs=1e-12
    )


@pytest.mark.parametrize("levels", [4, 10_000])
def test_against_scikit_learn(levels):
    scores, labels, group = sample(7, 50, 30, levels)
    found = figures(
        ["AUC", "GAUC", "LogLoss", "F1(0.5)", "F1(0.9)", "NDCG(5)"], scores, labels, group
    )
    sigmoid = 1 / (1 + np.exp(-np.clip(scores, -30, 30).astype(np.float64)))
    assert found["AUC"].value == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores))
    mixed = [g for g in range(50) if len(set(labels[group == g])) == 2]
    each = [(labels[group == g], scores[group == g]) for g in mixed]
    assert found["GAUC"].value == pytest.approx(
        np.mean([sklearn_metrics.roc_auc_score(*pair) for pair in each])
    )
    gains = [sklearn_metrics.ndcg_score(y[None], s[None], k=5) for y, s in each]
    assert found["NDCG(5)"].value == pytest.approx(np.mean(gains))
    for threshold in (0.5, 0.9):
        expected = sklearn_metrics.f1_score(labels, sigmoid >= threshold)
        assert found[f"F1({threshold:g})"].value == pytest.approx(expected)
    small = np.clip(scores, -20, 20)
    expected = sklearn_metrics.log_loss(labels, 1 / (1 + np.exp(-small.astype(np.float64))))
    assert figures(["LogLoss"], small, labels)["LogLoss"].value == pytest.approx(expected)


def test_precision_of_labels_without_ties_against_scikit_learn():
    scores, labels, group = sample(11, 30, 20, 1 << 20)
    scores += np.arange(len(scores), dtype=np.float32) * 1e-3
    mixed = [g for g in range(30) if len(set(labels[group == g])) == 2]
    score = sklearn_metrics.label_ranking_average_precision_score
    values = [score(labels[group == g][None], scores[group == g][None]) for g in mixed]
    assert figures(["LRAP"], scores, labels, group)["LRAP"].value == pytest.approx(np.mean(values))


def test_average_precision_without_ties_against_scikit_learn():
    scores, labels, group = sample(11, 30, 20, 1 << 20)
    scores += np.arange(len(scores), dtype=np.float32) * 1e-3
    mixed = [g for g in range(30) if len(set(labels[group == g])) == 2]
    score = sklearn_metrics.average_precision_score
    values = [score(labels[group == g], scores[group == g]) for g in mixed]
    found = compute([Call(op="MAP", args={"k": None}), Call(op="MAP")], scores, labels, group)
    assert list(found) == ["MAP"]
    assert found["MAP"].value == pytest.approx(np.mean(values))
    assert found["MAP"].value == pytest.approx(
        figures(["LRAP"], scores, labels, group)["LRAP"].value
    )


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_calibration_against_a_loop_and_scikit_learn(bins):
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, 4000).astype(np.float32)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-scores / 2))).astype(np.float32)
    probability = 1 / (1 + np.exp(-scores.astype(np.float64)))
    total = 0.0
    for place in range(bins):
        inside = [i for i, p in enumerate(probability) if min(int(p * bins), bins - 1) == place]
        if inside:
            mean = sum(probability[i] for i in inside) / len(inside)
            share = sum(labels[i] for i in inside) / len(inside)
            total += len(inside) / 4000 * abs(mean - share)
    value = figures([f"ECE({bins})"], scores, labels)[f"ECE({bins})"].value
    assert value == pytest.approx(total, abs=1e-7)
    share, mean = calibration_curve(labels, probability, n_bins=bins)
    counts = np.histogram(probability, np.linspace(0, 1, bins + 1))[0]
    weights = counts[counts > 0] / 4000
    assert value == pytest.approx((weights * np.abs(share - mean)).sum(), abs=1e-7)
    assert figures(["ECE(15)"], [100.0, -100.0], [1, 0])["ECE(15)"].value == pytest.approx(0)


def test_log_loss_of_large_logits_is_exact_where_a_float32_sigmoid_is_one():
    value = figures(["LogLoss"], [40.0, -800.0, 800.0], [0, 1, 1])["LogLoss"].value
    assert value == pytest.approx((40.0 + 800.0 + 0.0) / 3, rel=1e-12)


def test_a_constant_scorer_gets_the_value_of_chance():
    labels = np.array([1, 0, 0, 0, 0, 0, 0, 1, 0, 0], dtype=np.float32)
    found = figures(["GAUC", "AUC", "HitRatio(3)", "Recall(3)"], np.zeros(10), labels)
    assert found["GAUC"].value == found["AUC"].value == 0.5
    assert found["Recall(3)"].value == pytest.approx(0.3)
    assert found["HitRatio(3)"].value == pytest.approx(1 - 8 * 7 * 6 / (10 * 9 * 8))


def test_zero_and_minus_zero_tie():
    assert figures(["GAUC"], [-0.0, 0.0], [1, 0])["GAUC"].value == 0.5


def test_large_tied_blocks_are_accurate():
    labels = np.zeros(20_000)
    labels[:3] = 1
    found = figures(["MRR0", "HitRatio(10)", "MRR"], np.zeros(20_000), labels)
    ranks = np.arange(1, 20_001)
    harmonic = (1 / ranks).sum()
    assert found["MRR"].value == pytest.approx(harmonic / 20_000, rel=1e-9)
    misses = np.prod([(19_997 - i) / (20_000 - i) for i in range(10)])
    assert found["HitRatio(10)"].value == pytest.approx(1 - misses, rel=1e-6)
    first = np.cumprod(
        np.concatenate(([1.0], (20_000 - 3 - ranks[:-1] + 1) / (20_001 - ranks[:-1])))
    )
    chance = first * 3 / (20_001 - ranks)
    assert found["MRR0"].value == pytest.approx((chance / ranks).sum(), rel=1e-6)


def test_alike_tied_blocks_of_many_groups_take_the_memory_of_one():
    """Full ranking by a count leaves most of a catalogue tied, for every user."""
    groups, rows = 100, 20_000
    labels = np.zeros((groups, rows))
    labels[:, 0], labels[groups // 2 :, 1] = 1, 1
    owner = np.repeat(np.arange(groups), rows)
    ranking = rank(np.zeros(groups * rows), labels.ravel(), owner)
    metric = build_metric(Call(op="MRR0", args={}))
    tracemalloc.start()
    found = metric.measure(ranking)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * rows * 2
    ranks = np.arange(1, rows + 1)
    assert found[0] == pytest.approx((1 / ranks).sum() / rows, rel=1e-9)
    first = (rows - ranks) / (rows * (rows - 1) / 2)
    assert found[-1] == pytest.approx((first / ranks).sum(), rel=1e-6)


def test_no_groups_give_nan_and_a_count():
    found = figures(["GAUC", "AUC", "MRR0", "HitRatio(5)", "NDCG(5)", "LRAP"], [1, 2], [1, 1])
    assert all(np.isnan(figure.value) for figure in found.values())
    assert found["GAUC"].excluded == 1
    assert found["GAUC"].to_json()["value"] is None
    nothing = figures(["GAUC", "AUC", "LogLoss", "F1(0.5)"], [], [])
    assert all(np.isnan(figure.value) for figure in nothing.values())


def test_scores_that_are_not_finite_are_an_error():
    with pytest.raises(LegoError, match="1 of 2 scores"):
        figures(["GAUC"], [np.nan, 1.0], [1, 0])


def test_names_and_directions():
    assert metric_name(call("NDCG(5)")) == "NDCG(5)"
    assert metric_name(Call(op="F1", args={"threshold": 0.5})) == "F1(0.5)"
    assert metric_name(Call(op="Recall", args={"k": 1_000_000})) == "Recall(1000000)"
    assert better(call("LogLoss")) == "lower"
    assert all(
        better(Call(op=name)) == "higher" for name in METRICS if name not in ("LogLoss", "ECE")
    )


@pytest.mark.parametrize("scale", [1.0, 25.0, 1e4])
def test_an_area_over_large_scores_does_not_saturate(scale):
    """A float32 sigmoid calls all scores above 17 equal, and the area of equal scores is a half."""
    scores = (20 + np.arange(6, dtype=np.float32)) * np.float32(scale)
    labels = np.array([0, 0, 1, 0, 1, 1], dtype=np.float32)
    assert figures(["AUC"], scores, labels)["AUC"].value == pytest.approx(8 / 9)
    squashed = 1 / (1 + np.exp(-scores))
    assert figures(["AUC"], squashed, labels)["AUC"].value == 0.5
