"""MINER's disagreement against NumPy, on its way from the users of a batch into the loss."""

import numpy as np
import pytest
import torch
from torch import nn

from legoc.model.recommender import Recommender
from legoc.operators.behavior.polyattention import PolyAttention
from legoc.operators.predict.dot import Dot
from legoc.operators.predict.miner import MINER
from legoc.operators.sizes import Sizes
from legoc.training.epoch import Part, Update
from legoc.training.losses import cross_entropy
from legoc.training.optimise import build_optimiser
from legoc.training.step import Step
from tests.model.pipelines import CANDIDATES, HISTORIES, Items, batch


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


def miner(weight):
    return MINER(MINER.Config(disagreement=weight), SIZES)


class Rows(nn.Embedding):
    def forward(self, item):
        return super().forward(item.long())


class Doubled(nn.Module):
    """Stands for what is known of the users: it changes the vectors that are scored."""

    def known(self, users):
        return users

    def forward(self, made, users):
        return 2 * made + users[:, None, None]


def build(predict, *, profile=None):
    """A table of items, four vectors per user, and a predictor."""
    torch.manual_seed(1)
    config = PolyAttention.Config(codes=4, dim=5)
    return Recommender(
        content=Rows(30, 6), behavior=PolyAttention(config, Sizes(width=6, clicks=5)),
        predict=predict, tokens=None, layout="id", attributes=(), width=6, reads_clicks=False,
        reads_user=profile is not None, profile=profile, by_user=False,
    )  # fmt: skip


def by_hand(model):
    """The vectors of the users of the batch, one history at a time."""
    found = []
    for history in HISTORIES:
        clicks = model.content(torch.tensor(history or [0]))[None]
        mask = torch.full((1, clicks.shape[1]), bool(history))
        found.append(model.behavior(clicks if history else clicks * 0, mask)[0])
    return torch.stack(found)


def test_it_is_the_mean_cosine_between_vectors_of_a_user():
    given = users()
    found = miner(0.8).losses(given)
    assert list(found) == ["disagreement"]
    wanted = 0.8 * disagreement(given.double().numpy())
    assert found["disagreement"].item() == pytest.approx(wanted, abs=1e-6)
    assert miner(0.0).losses(given) == {}


def test_vectors_that_are_zero_disagree_with_nothing():
    given = torch.zeros(2, 4, 6, requires_grad=True)
    found = miner(1.0).losses(given)["disagreement"]
    found.backward()
    assert found == 0
    assert given.grad.isfinite().all()


@pytest.mark.parametrize("profile", [None, Doubled()])
def test_the_model_returns_it_for_the_users_of_the_batch(profile):
    """Of what the clicks make of a user, before what is known of the user is added."""
    model = build(miner(0.8), profile=profile)
    scores, losses = model(batch(Items("id")))
    assert scores.shape == (len(HISTORIES), len(CANDIDATES[0]))
    with torch.no_grad():
        vectors = by_hand(model)
    # An empty history has the vector of zeros four times, whose cosines count as zero.
    pairs = [disagreement(v[None].double().numpy()) if v.any() else 0.0 for v in vectors]
    assert losses["disagreement"].item() == pytest.approx(0.8 * np.mean(pairs), abs=1e-6)


def test_a_predictor_that_asks_for_nothing_gives_none():
    assert build(miner(0.0))(batch(Items("id"))).losses == {}
    other = build(Dot(Dot.Config(), SIZES))
    assert other.own_losses(users()) == {}


def test_a_step_adds_it_to_the_loss_and_moves_the_vectors_apart(make_recipe):
    model = build(miner(1.0))
    given = batch(Items("id"))
    optimiser = build_optimiser(model, make_recipe(lr=0.05))
    part = Part(epoch=1, step=0, seed=3, batch=given)
    update = Update(number=0, parts=(part,), rows=part.rows)
    step = Step(
        module=model, loss=lambda s, y: cross_entropy(s) * 0, optimiser=optimiser,
        train=make_recipe(),
    )  # fmt: skip
    before = model(given).losses["disagreement"].item()
    seen = [step.make(update, 1.0, None) for _ in range(20)]
    assert seen[0] == pytest.approx(before, abs=1e-7)
    assert seen[-1] < seen[0] - 0.05
