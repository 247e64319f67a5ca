"""The prior of a pair's moment: its equation in NumPy, what fills it, and where it is added."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.language.ir.spec import Call
from legoc.model import compile
from legoc.model.prior import Prior
from legoc.training.tasks import build_task
from tests.model.pipelines import CANDIDATES, PIPELINES, ROWS, Items, batch, spec


CALLS = (
    Call(op="popularity", args={"hours": 24.0, "days": None}),
    Call(op="age", args={}),
)


def with_context(name):
    made = spec(name)
    return replace(made, data=replace(made.data, context=CALLS))


def drawn(prior, seed=1):
    """The same prior with weights that do something."""
    with torch.no_grad():
        for place, parameter in enumerate(prior.parameters()):
            generator = torch.Generator().manual_seed(seed + place)
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return prior


def test_the_prior_is_its_equation():
    prior, draw = drawn(Prior(3)), np.random.default_rng(0)
    blocks = [draw.exponential(50, (40, 3)).astype(np.float32) for _ in range(3)]
    prior.fill(blocks)
    x = np.log1p(np.concatenate(blocks).astype(np.float64))
    w = {name: value.double().numpy() for name, value in prior.state_dict().items()}
    assert w["mean"] == pytest.approx(x.mean(0), rel=1e-6)
    assert w["deviation"] == pytest.approx(x.std(0), rel=1e-6)
    hidden = np.maximum((x - x.mean(0)) / x.std(0) @ w["inner.weight"].T + w["inner.bias"], 0)
    expected = hidden @ w["outer.weight"][0] + w["outer.bias"]
    found = prior(torch.from_numpy(np.concatenate(blocks))).detach().numpy()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert prior.neutral == pytest.approx(np.expm1(x.mean(0)).tolist(), rel=1e-5)


def test_a_share_enters_as_its_logit():
    """Beside a count and hours, in any column; a share of 0 or 1 is taken for one near it."""
    prior, draw = drawn(Prior(4, shares=[1, 3])), np.random.default_rng(0)
    blocks = [
        np.stack([draw.exponential(50, 40), draw.uniform(0.01, 0.9, 40),
                  draw.exponential(5, 40), draw.beta(2, 40, 40)], axis=1).astype(np.float32)
        for _ in range(3)
    ]  # fmt: skip
    prior.fill(blocks)
    x = np.concatenate(blocks).astype(np.float64)
    z = np.log1p(x)
    z[:, [1, 3]] = np.log(x[:, [1, 3]] / (1 - x[:, [1, 3]]))
    w = {name: value.double().numpy() for name, value in prior.state_dict().items()}
    assert w["mean"] == pytest.approx(z.mean(0), rel=1e-6)
    assert w["deviation"] == pytest.approx(z.std(0), rel=1e-6)
    hidden = np.maximum((z - z.mean(0)) / z.std(0) @ w["inner.weight"].T + w["inner.bias"], 0)
    expected = hidden @ w["outer.weight"][0] + w["outer.bias"]
    found = prior(torch.from_numpy(np.concatenate(blocks))).detach().numpy()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
    # What says nothing: the number whose own form is training's mean.
    neutral, own = np.array(prior.neutral), np.log1p(prior.neutral)
    own[[1, 3]] = np.log(neutral[[1, 3]] / (1 - neutral[[1, 3]]))
    assert own == pytest.approx(z.mean(0), rel=1e-5)
    edges = np.array([[1, 0, 1, 1], [1, 1e-5, 1, 1 - 1e-5]], dtype=np.float32)
    one, two = prior(torch.from_numpy(edges)).tolist()
    assert np.isfinite(one)
    assert one == pytest.approx(two, rel=1e-4)


def test_what_shares_are_is_no_part_of_what_is_saved():
    """A run folder of a model without them is read as before."""
    assert Prior(2).state_dict().keys() == Prior(2, shares=[1]).state_dict().keys()
    assert not any("share" in name for name in Prior(2, shares=[1]).state_dict())


def test_a_number_that_never_differs_is_finite_and_a_fresh_prior_is_silent():
    prior = Prior(2)
    prior.fill([np.tile(np.array([0, 7], np.float32), (9, 1))])
    assert prior(torch.rand(5, 2) * 1e6).tolist() == [0.0] * 5
    assert torch.isfinite(drawn(prior)(torch.tensor([[0.0, 1e9]]))).all()


def test_a_prior_without_rows_stays_as_it_is():
    prior = Prior(2)
    prior.fill([])
    assert prior.mean.tolist() == [0, 0]
    assert prior.deviation.tolist() == [1, 1]


@pytest.mark.parametrize("name", list(PIPELINES))
def test_every_pipeline_adds_the_prior_to_its_score(name):
    """The same seed and the same weights without context score the difference."""
    models = []
    for made in (spec(name), with_context(name)):
        torch.manual_seed(0)
        models.append(compile(made).build(ROWS).eval())
    plain, model = models
    model.load_state_dict(plain.state_dict(), strict=False)
    drawn(model.prior)
    layout = compile(spec(name)).plan.layout
    given = batch(Items(layout))
    numbers = np.random.default_rng(3).exponential(9, (*np.shape(CANDIDATES), 2))
    timed = replace(given, context=numbers.astype(np.float32))
    with torch.no_grad():
        prior = model.prior(torch.from_numpy(timed.context).flatten(0, 1)).reshape(4, 3)
        assert prior.std() > 0.1
        assert model(timed).scores.numpy() == pytest.approx(
            (plain(given).scores + prior).numpy(), abs=1e-5
        )
        with pytest.raises(TypeError, match="context"):
            model(given)


def test_gradients_reach_the_prior():
    model = compile(with_context("naml")).build(ROWS)
    timed = replace(batch(Items("fields")), context=np.ones((*np.shape(CANDIDATES), 2), np.float32))
    model(timed).scores.sum().backward()
    assert model.prior.outer.weight.grad.abs().sum() > 0


def test_a_cosine_and_a_prior_are_no_cosine():
    """The squared error is that of sigmoid(score) then, as for every other score."""
    mse = Call(op="ranking", args={"loss": "mse", "negatives": None, "pool": None})
    cosine = Call(op="Cosine", args={"temperature": None})
    scores, labels = torch.tensor([[0.5], [3.0]]), torch.tensor([[1.0], [0.0]])
    plain, added = (build_task(mse, cosine, prior=prior) for prior in (False, True))
    expected = ((scores.sigmoid() - labels) ** 2).mean().item()
    assert added.loss(scores, labels).item() == pytest.approx(expected)
    assert plain.loss(scores, labels).item() != pytest.approx(expected)
