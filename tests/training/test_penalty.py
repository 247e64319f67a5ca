"""MINER's disagreement against NumPy, on its way into the loss, and tasks that know cosines."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from legoc.language.ir.spec import Call
from legoc.operators.predict.dot import Dot
from legoc.operators.predict.miner import MINER
from legoc.operators.sizes import Sizes
from legoc.training.losses import cross_entropy
from legoc.training.penalty import penalised
from legoc.training.tasks import build_task


SIZES = Sizes(width=6, item=6, codes=4)


def users(seed=0, rows=5):
    return torch.randn(rows, 4, 6, generator=torch.Generator().manual_seed(seed))


def disagreement(vectors):
    """The mean over users and over all C² pairs of the cosine, a vector's own counted as 0."""
    total, count = 0.0, 0
    for user in vectors:
        for i, one in enumerate(user):
            for j, other in enumerate(user):
                count += 1
                if i != j:
                    total += one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return total / count


def model(weight, **settings):
    """A behavior operator that is a Linear, and MINER behind it."""
    torch.manual_seed(1)
    config = MINER.Config(disagreement=weight, **settings)
    return SimpleNamespace(behavior=nn.Linear(6, 6), predict=MINER(config, SIZES))


def loss(scores, labels):
    return cross_entropy(scores)


def test_the_penalty_is_the_mean_cosine_between_vectors_of_a_user():
    given = users()
    found = model(0.8).predict.penalty(given)
    assert found.item() == pytest.approx(0.8 * disagreement(given.double().numpy()), abs=1e-6)
    assert model(0.0).predict.penalty(given) is None


def test_vectors_that_are_zero_disagree_with_nothing():
    given = torch.zeros(2, 4, 6, requires_grad=True)
    found = model(1.0).predict.penalty(given)
    found.backward()
    assert found == 0
    assert given.grad.isfinite().all()


@pytest.mark.parametrize("weight", [0.0, 0.8])
def test_a_penalised_loss_adds_it_for_the_batch_it_is_given(weight):
    made = model(weight)
    total = penalised(loss, made)
    scores, labels = torch.randn(5, 3), torch.zeros(5, 3)
    for seed in (0, 1):
        vectors = made.behavior(users(seed))
        wanted = loss(scores, labels).item()
        if weight:
            wanted += weight * disagreement(vectors.detach().double().numpy())
        assert total(scores, labels).item() == pytest.approx(wanted, abs=1e-6)


def test_it_moves_the_vectors_apart():
    made = model(1.0)
    total = penalised(lambda scores, labels: scores.sum() * 0, made)
    given = users()
    optimiser = torch.optim.Adam(made.behavior.parameters(), lr=0.05)
    seen = []
    for _ in range(20):
        made.behavior(given)
        value = total(torch.zeros(5, 3), torch.zeros(5, 3))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        seen.append(value.item())
    assert seen[-1] < seen[0] - 0.05


def test_an_evaluation_between_two_batches_leaves_no_users_behind():
    made = model(0.8)
    total = penalised(loss, made)
    scores, labels = torch.randn(5, 3), torch.zeros(5, 3)
    vectors = made.behavior(users(0))
    made.behavior.eval()
    made.behavior(users(7))
    wanted = cross_entropy(scores).item() + 0.8 * disagreement(vectors.detach().double().numpy())
    assert total(scores, labels).item() == pytest.approx(wanted, abs=1e-6)


def test_a_predictor_without_a_penalty_keeps_its_loss():
    made = SimpleNamespace(behavior=nn.Linear(6, 6), predict=Dot(Dot.Config(), SIZES))
    assert penalised(loss, made) is loss


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
