"""The mean of the weights: against its equation, in what is measured and in what is stored."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.training.averaging import FOLDS, YOUNG, Average
from legoc.training.checkpoint import load_state, save_state
from legoc.training.loop import fit
from legoc.training.optimise import build_optimiser
from legoc.training.position import Position


def mean_of(history, span):
    """The mean behind the last update of a history [t, ...], whose first entry is the beginning."""
    mean = history[0]
    for made, value in enumerate(history[1:], start=1):
        reach = min(span, 1 + made / YOUNG)
        every = max(1, int(reach / FOLDS))
        if made % every == 0:
            share = min(1, every / reach)
            mean = mean * (1 - share) + value * share
    return mean


@pytest.mark.parametrize("span", [2, 40, 300])
def test_the_mean_follows_its_equation(span):
    torch.manual_seed(1)
    module = torch.nn.Linear(3, 2, bias=False)
    average = Average(module, span)
    history = [module.weight.detach().numpy().astype(np.float64)]
    for made in range(1, 901):
        with torch.no_grad():
            module.weight.add_(torch.randn(2, 3))
        average.enter(made)
        history.append(module.weight.detach().numpy().astype(np.float64))
    np.testing.assert_allclose(average.tensors["weight"], mean_of(history, span), atol=1e-4)
    assert not np.allclose(average.tensors["weight"], history[-1], atol=1e-2)


def test_it_is_shown_for_as_long_as_asked_and_nothing_is_lost():
    module = torch.nn.Linear(2, 1)
    average = Average(module, 300)
    mean = module.weight.detach().clone()
    with torch.no_grad():
        module.weight.add_(1.0)

    def break_off():
        with average.shown():
            assert torch.equal(module.weight, mean)
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert torch.equal(module.weight, mean + 1.0)
    assert torch.equal(average.tensors["weight"], mean)


def test_what_stands_still_has_no_mean_and_running_statistics_have_one(make_toy):
    module = make_toy()
    module.table.weight.requires_grad_(False)
    names = set(Average(module, 9).tensors)
    statistics = {"norm.running_mean", "norm.running_var"}
    assert names == statistics | {"norm.weight", "norm.bias", "out.weight", "out.bias"}


def test_a_span_of_one_keeps_nothing_and_changes_nothing(make_toy):
    module = make_toy()
    average = Average(module, 1)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    average.enter(1)
    with average.shown():
        assert not average.tensors
        assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_the_best_weights_and_what_is_measured_are_the_mean(make_job):
    """The mean of the recorded weights is what validation sees and what the folder has."""
    job = make_job("mean", average=40, epochs=2)
    history, seen = [job.module.out.weight.detach().numpy().copy()], []
    loss, validate = job.loss, job.validate

    def counted(scores, labels):
        if len(history) <= counted.calls:
            history.append(job.module.out.weight.detach().numpy().copy())
        counted.calls += 1
        return loss(scores, labels)

    counted.calls = 0

    def measured():
        seen.append(job.module.out.weight.detach().numpy().copy())
        return validate()

    object.__setattr__(job, "loss", counted)
    object.__setattr__(job, "validate", measured)
    outcome = fit(job)
    history.append(job.module.out.weight.detach().numpy().copy())
    assert len(history) == 2 * job.updates + 1
    for epoch, shown in enumerate(seen, start=1):
        wanted = mean_of(history[: epoch * job.updates + 1], 40)
        np.testing.assert_allclose(shown, wanted, atol=1e-6)
    best = load_file(job.folder / "best.safetensors")
    np.testing.assert_array_equal(best["out.weight"], seen[outcome.best_epoch - 1])
    assert not np.allclose(best["out.weight"], history[-1], atol=1e-5)


def test_a_state_without_the_mean_is_refused(make_job, tmp_path):
    job = make_job("state", average=40)
    optimiser = build_optimiser(job.module, job.train)
    save_state(tmp_path, job.module, optimiser, Average(job.module, 1), Position())
    with pytest.raises(LegoError, match="does not fit this model") as caught:
        load_state(tmp_path, job.module, optimiser, Average(job.module, 40))
    assert [each.code for each in caught.value.diagnostics] == ["E0554"]
