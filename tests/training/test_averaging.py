"""The mean of the weights: against its equation, in what is measured and in what is stored."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.operators.blocks.table import Table
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
    np.testing.assert_allclose(average.means["weight"], mean_of(history, span), atol=1e-4)
    assert not np.allclose(average.means["weight"], history[-1], atol=1e-2)


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
    assert torch.equal(average.means["weight"], mean)


def test_what_stands_still_has_no_mean_and_running_statistics_have_one(make_toy):
    module = make_toy()
    module.table.weight.requires_grad_(False)
    names = set(Average(module, 9).means)
    statistics = {"norm.running_mean", "norm.running_var"}
    assert names == statistics | {"norm.weight", "norm.bias", "out.weight", "out.bias"}


def test_a_span_of_one_keeps_nothing_and_changes_nothing(make_toy):
    module = make_toy()
    average = Average(module, 1)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    average.enter(1)
    with average.shown():
        assert not average.tensors()
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


def train_rows(module, optimiser, average, batches, first=0):
    for made, ids in enumerate(batches, start=first + 1):
        module(ids).square().sum().backward()
        optimiser.update(1.0)
        average.enter(made)


def tables(make_recipe, *, held):
    """A table with its optimiser and mean, held by the rows that are read or as a whole."""
    torch.manual_seed(5)
    module = torch.nn.ModuleDict({"table": Table(30, 4)})
    if held:
        optimiser = build_optimiser(module, make_recipe(lr=0.05))
    else:
        # What is no Table is held as a whole.
        plain = torch.nn.Embedding(30, 4, padding_idx=0)
        plain.load_state_dict(module["table"].state_dict())
        module["table"] = plain
        optimiser = build_optimiser(module, make_recipe(lr=0.05))
    return module, optimiser, Average(module, 20)


def draws(count, seed):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randperm(24, generator=draw)[:5] for _ in range(count)]


def test_a_table_that_is_held_by_its_rows_has_the_mean_of_the_whole(make_recipe):
    found = []
    for held in (True, False):
        module, optimiser, average = tables(make_recipe, held=held)
        train_rows(module["table"], optimiser, average, draws(12, 1))
        raw = module.state_dict()["table.weight"].clone()
        with average.shown():
            shown = module.state_dict()["table.weight"].clone()
            module.eval()
            with torch.no_grad():
                assert torch.equal(module["table"](torch.arange(30)), shown)
        assert torch.equal(module.state_dict()["table.weight"], raw)
        assert not torch.equal(raw, shown)
        found.append((raw, shown))
    torch.testing.assert_close(found[0], found[1], atol=0, rtol=0)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_the_mean_of_a_table_goes_on_wherever_it_is_held(make_recipe, before, after):
    batches = draws(14, 2)
    module, optimiser, average = tables(make_recipe, held=before)
    train_rows(module["table"], optimiser, average, batches)
    straight = {name: value.clone() for name, value in shown(module, average).items()}

    module, optimiser, average = tables(make_recipe, held=before)
    train_rows(module["table"], optimiser, average, batches[:6])
    states = [module.state_dict(), optimiser.tensors(), average.tensors()]
    kept = [{name: value.clone() for name, value in state.items()} for state in states]
    module, optimiser, average = tables(make_recipe, held=after)
    module.load_state_dict(kept[0])
    optimiser.load(kept[1])
    average.load(kept[2])
    train_rows(module["table"], optimiser, average, batches[6:], first=6)
    torch.testing.assert_close(shown(module, average), straight, atol=0, rtol=0)


def shown(module, average):
    with average.shown():
        return {name: value.clone() for name, value in module.state_dict().items()}
