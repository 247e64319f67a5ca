"""Losses against NumPy, written from OPERATORS section 7."""

import numpy as np
import pytest
import torch

from legoc.language.ir.spec import Call
from legoc.training.losses import binary_cross_entropy, cross_entropy, squared_error
from legoc.training.tasks import Matching, Ranking, build_task


RANDOM = np.random.default_rng(5)
SCORES = RANDOM.normal(size=(6, 5)) * 4
LABELS = (RANDOM.random((6, 5)) < 0.4).astype(np.float64)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_cross_entropy_has_the_positive_first():
    expected = np.mean(np.log(np.exp(SCORES).sum(axis=1)) - SCORES[:, 0])
    assert np.isclose(cross_entropy(torch.tensor(SCORES)).item(), expected, atol=1e-12)


def test_binary_cross_entropy():
    p = sigmoid(SCORES)
    expected = -np.mean(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p))
    found = binary_cross_entropy(torch.tensor(SCORES), torch.tensor(LABELS))
    assert np.isclose(found.item(), expected, atol=1e-12)


def test_squared_error_of_logits_and_of_cosines():
    scores, labels = torch.tensor(SCORES), torch.tensor(LABELS)
    logits = squared_error(scores, labels, bounded=False).item()
    cosines = squared_error(scores, labels, bounded=True).item()
    assert np.isclose(logits, np.mean((sigmoid(SCORES) - LABELS) ** 2), atol=1e-12)
    assert np.isclose(cosines, np.mean((SCORES - LABELS) ** 2), atol=1e-12)


def test_tasks_choose_their_loss():
    scores, labels = torch.tensor(SCORES), torch.tensor(LABELS)
    matching = Matching(Matching.Config())
    assert matching.loss(scores, labels) == cross_entropy(scores)
    bce = Ranking(Ranking.Config())
    assert bce.loss(scores, labels) == binary_cross_entropy(scores, labels)
    for bounded in (False, True):
        mse = Ranking(Ranking.Config(loss="mse"), bounded=bounded)
        assert mse.loss(scores, labels) == squared_error(scores, labels, bounded=bounded)


@pytest.mark.parametrize(
    ("predict", "bounded"),
    [
        (Call(op="Cosine", args={"temperature": None}), True),
        (Call(op="Cosine", args={"temperature": 0.1}), False),
        (Call(op="Dot"), False),
    ],
)
def test_squared_errors_are_of_the_score_where_it_is_a_cosine(predict, bounded):
    task = build_task(Call(op="ranking", args={"loss": "mse", "negatives": None}), predict)
    scores, labels = torch.tensor([[0.5]]), torch.tensor([[1.0]])
    wanted = 0.25 if bounded else (1 - torch.sigmoid(torch.tensor(0.5)).item()) ** 2
    assert task.loss(scores, labels).item() == pytest.approx(wanted)
