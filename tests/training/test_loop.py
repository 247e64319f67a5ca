"""The loop: accumulation, early stopping, the limit, the log, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model.run import Run
from legoc.progress import SILENT
from legoc.training.epoch import infer_seed
from legoc.training.job import Monitor
from legoc.training.loop import fit


def entries(job, event):
    lines = (job.folder / "log.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]


def weights_equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Plateau:
    """A validation that yields given values, and remembers the weights it saw."""

    def __init__(self, module, values, name="AUC"):
        self.module, self.values, self.name = module, iter(values), name
        self.seen = []

    def __call__(self):
        self.seen.append({k: v.clone() for k, v in self.module.state_dict().items()})
        return {self.name: next(self.values)}


@pytest.mark.parametrize("rows", [40, 37])
def test_accumulation_equals_the_larger_batch(make_job, make_toy, make_sampler, rows):
    trained = []
    for folder, batch, accumulate in (("large", 16, 1), ("small", 4, 4)):
        module = make_toy(dropout=0.0, norm=False).double()
        sampler = make_sampler(rows=rows, batch=batch)
        job = make_job(
            folder, module=module, sampler=sampler, accumulate=accumulate, clip=0.1,
            schedule="cosine", warmup=0.2,
            loss=lambda s, y: torch.nn.functional.binary_cross_entropy_with_logits(s, y.double()),
        )  # fmt: skip
        fit(job)
        trained.append(module.state_dict())
        assert len(entries(job, "step")) == 3 * -(-rows // 16)
    for name, value in trained[0].items():
        torch.testing.assert_close(value, trained[1][name], rtol=0, atol=1e-12)


def test_the_best_epoch_is_kept_and_patience_counts_from_it(make_job, make_toy):
    module = make_toy()
    validate = Plateau(module, [0.5, 0.6, 0.6, 0.4, 0.55, 0.9])
    job = make_job(module=module, validate=validate, epochs=10, patience=3)
    outcome = fit(job)
    assert (outcome.reason, outcome.epochs, outcome.best_epoch) == ("patience", 5, 2)
    assert outcome.best == 0.6
    assert weights_equal(load_file(job.folder / "best.safetensors"), validate.seen[1])
    assert [entry["best"] for entry in entries(job, "evaluation")] == [True, True, *[False] * 3]


def test_an_improvement_resets_patience(make_job, make_toy):
    module = make_toy()
    validate = Plateau(module, [0.5, 0.4, 0.6, 0.5, 0.7, 0.6, 0.6])
    outcome = fit(make_job(module=module, validate=validate, epochs=9, patience=2))
    assert (outcome.reason, outcome.epochs, outcome.best_epoch) == ("patience", 7, 5)


def test_a_loss_is_better_when_lower(make_job, make_toy):
    module = make_toy()
    validate = Plateau(module, [0.7, 0.5, 0.6], name="LogLoss")
    monitor = Monitor(name="LogLoss", lower=True)
    outcome = fit(make_job(module=module, validate=validate, monitor=monitor))
    assert (outcome.reason, outcome.best_epoch, outcome.best) == ("epochs", 2, 0.5)


def test_without_validation_the_last_epoch_is_the_best(make_job):
    job = make_job(validate=None, patience=1)
    outcome = fit(job)
    assert (outcome.reason, outcome.best_epoch, outcome.best) == ("epochs", 3, None)
    assert weights_equal(load_file(job.folder / "best.safetensors"), job.module.state_dict())


def test_the_limit_ends_training_within_an_epoch(make_job, make_ticking):
    time = make_ticking()
    job = make_job(loss=time.loss, clock=time.clock, limit=12.0, epochs=50)
    outcome = fit(job)
    assert (outcome.reason, outcome.seconds, outcome.epochs) == ("limit", 12.0, 3)
    assert len(entries(job, "step")) == 12
    assert len(entries(job, "evaluation")) == 3


def test_the_end_is_told_at_the_updates_that_were_made(make_job, make_ticking):
    time, heard = make_ticking(), []
    job = make_job(loss=time.loss, clock=time.clock, limit=12.0, epochs=50)
    fit(replace(job, listen=heard.append))
    assert [(each["event"], each["step"]) for each in heard[-3:]] == [
        ("step", 12), ("evaluation", 12), ("end", 12),
    ]  # fmt: skip


def test_learning_rates_in_the_log_follow_the_schedule(make_job):
    job = make_job(schedule="linear", warmup=0.2, lr=0.3, epochs=2)
    fit(job)
    found = [entry["lr"] for entry in entries(job, "step")]
    expected = [0.15, 0.3, *(0.3 * (1 - t / 8) for t in range(8))]
    assert found == pytest.approx(expected)


def test_two_runs_of_a_seed_are_equal_and_of_two_seeds_are_not(make_job):
    jobs = [make_job(name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    for job in jobs:
        fit(job)
    one, same, other = (job.module.state_dict() for job in jobs)
    assert weights_equal(one, same)
    assert not weights_equal(one, other)


def test_training_leaves_nothing_to_resume(make_job):
    job = make_job()
    fit(job)
    assert sorted(path.name for path in job.folder.iterdir()) == ["best.safetensors", "log.jsonl"]
    assert entries(job, "end")[0]["reason"] == "epochs"


def test_a_loss_that_is_not_finite_stops_and_says_where(make_job):
    calls = []

    def loss(scores, labels):
        calls.append(1)
        value = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
        return value * float("nan") if len(calls) == 8 else value

    job = make_job(loss=loss)
    with pytest.raises(LegoError) as caught:
        fit(job)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0550"
    assert "epoch 2, step 3" in diagnostic.message
    assert "clip=1.0" in diagnostic.help[0]


def large(module):
    with torch.no_grad():
        module.out.weight.fill_(3e38)


def spoilt(module):
    with torch.no_grad():
        module.table.weight[7, 0] = float("inf")


def unlabelled(module):
    pass


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (large, "what `out` (Linear) gives"),
        (spoilt, "the weight `table.weight`"),
        (unlabelled, "`labels` of the batch"),
        (lambda module: None, "the loss, of scores that are finite"),
    ],
)
def test_the_first_tensor_that_is_not_finite_is_named(
    make_job, make_toy, make_sampler, spoil, what
):
    module, sampler = make_toy(norm=False), make_sampler()
    spoil(module)
    inner = sampler.batch

    def batch(epoch, step, *share):
        made = inner(epoch, step, *share)
        return replace(made, labels=made.labels * float("nan")) if spoil is unlabelled else made

    def loss(scores, labels):
        value = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
        return value + float("inf") if what.startswith("the loss") else value

    sampler.batch = batch
    with pytest.raises(LegoError) as caught:
        fit(make_job(module=module, sampler=sampler, loss=loss))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.notes == (f"what was not finite first: {what}",)


@pytest.mark.parametrize("settings", [{"lr": 1e8}, {"lr": 1e12, "optimizer": "sgd"}])
def test_a_loss_that_explodes_is_no_success(make_job, settings):
    job = make_job(epochs=5, **settings)
    with pytest.raises(LegoError) as caught:
        fit(job)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0550"
    assert "the loss has grown from 0." in diagnostic.message
    assert "lower `lr`" in diagnostic.help[0]


class Saying:
    """Progress that remembers what was said."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)

    def task(self, name, total, unit=""):
        return SILENT.task(name, total, unit)


@pytest.mark.parametrize(("lr", "worse"), [(0.01, False), (30.0, True)])
def test_a_loss_that_never_comes_down_is_said_at_the_end(make_job, lr, worse):
    said = Saying()
    job = make_job(lr=lr, epochs=2, progress=said)
    fit(job)
    steps, ends = entries(job, "step"), entries(job, "evaluation")
    best = [entry for entry in ends if entry["best"]][-1]
    assert worse == (best["loss"] > 2 * steps[0]["loss"])
    assert worse == any(text.startswith("warning: the loss is") for text in said.said)


def test_weights_that_are_not_finite_are_never_the_best(make_job, make_toy):
    """No loss has shown them yet: the last update broke them."""
    module = make_toy()

    def validate():
        with torch.no_grad():
            module.out.weight[0, 0] = float("nan")
        return {"AUC": 0.5}

    job = make_job(module=module, validate=validate, epochs=1)
    with pytest.raises(LegoError) as caught:
        fit(job)
    assert caught.value.diagnostics[0].code == "E0550"
    assert "`out.weight`" in caught.value.diagnostics[0].message
    assert not (job.folder / "best.safetensors").exists()


def test_no_rows_and_no_monitor_are_errors(make_job, make_sampler):
    with pytest.raises(LegoError) as caught:
        fit(make_job("empty", sampler=make_sampler(rows=0)))
    assert caught.value.diagnostics[0].code == "E0551"
    with pytest.raises(LegoError) as caught:
        fit(make_job("blind", validate=lambda: {"AUC": float("nan")}))
    assert caught.value.diagnostics[0].code == "E0552"


def test_seeds_differ_by_every_counter():
    seeds = {infer_seed(*c) for c in np.ndindex(3, 4, 5)}
    assert len(seeds) == 60


def unfinished(job):
    fit(job)
    return [line for line in job.progress.said if "still" in line]


@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        ([0.5, 0.6, 0.7], {}, ["AUC was still rising", "`--set train.epochs=6`"]),
        ([0.5, 0.7, 0.6], {}, None),
        ([0.5, 0.6, 0.6], {}, None),
        ([0.5], {"epochs": 1}, None),
        ([0.5, 0.4, 0.3], {"patience": 1, "epochs": 9}, None),
        ([0.7, 0.6, 0.5], {"monitor": Monitor(name="AUC", lower=True)}, ["AUC was still falling"]),
    ],
)  # fmt: skip
def test_a_training_that_ends_while_it_gets_better_says_so(
    make_job, make_toy, make_words, values, changes, expected
):
    module = make_toy()
    said = unfinished(
        make_job(module=module, validate=Plateau(module, values), progress=make_words(), **changes)
    )
    assert len(said) == (expected is not None)
    assert all(text in said[0] for text in expected or ())


@pytest.mark.parametrize(("least", "epochs"), [(0, 2), (10, 2), (11, 3), (20, 4), (1000, 9)])
def test_patience_ends_nothing_before_so_many_updates(
    make_job, make_toy, make_words, least, epochs
):
    """Epochs of five updates, the first of which is the best."""
    module = make_toy()
    job = make_job(
        module=module, validate=Plateau(module, [0.5, *(0.4 for _ in range(8))]),
        progress=make_words(), patience=1, epochs=9, min_updates=least,
    )  # fmt: skip
    outcome = fit(job)
    assert (outcome.epochs, outcome.best_epoch) == (epochs, 1)
    assert outcome.reason == ("epochs" if epochs == 9 else "patience")


@pytest.mark.parametrize(("rate", "few", "told"), [(3e-3, 6, 1), (3e-3, 5, 0), (2e-2, 6, 0)])
def test_a_small_log_that_stops_early_is_told_a_higher_rate(
    make_job, make_toy, make_words, monkeypatch, rate, few, told
):
    """Epochs of five updates, where less than six are few."""
    monkeypatch.setattr("legoc.training.record.FEW", few)
    module, words = make_toy(), make_words()
    fit(
        make_job(
            module=module, validate=Plateau(module, [0.5, 0.4, 0.4]), progress=words, patience=1,
            epochs=9, min_updates=0, lr=rate,
        )
    )  # fmt: skip
    said = [line for line in words.said if "on so small a log" in line]
    assert len(said) == told
    assert all("an epoch is 5 updates" in line and "train.lr=0.01" in line for line in said)


@pytest.mark.parametrize(
    ("limit", "text"), [(12.0, "limit=24s"), (60.0, "limit=2min"), (1800.0, "limit=1h")]
)
def test_so_does_one_that_its_limit_ends(make_job, make_toy, make_ticking, make_words, limit, text):
    time = make_ticking()
    module = make_toy()
    validate = Plateau(module, [n / 1000 for n in range(1, 1000)])
    (said,) = unfinished(
        make_job(
            module=module,
            validate=validate,
            loss=time.loss,
            clock=time.clock,
            limit=limit,
            epochs=500,
            progress=make_words(),
        )
    )
    assert f"`--set train.{text}`" in said


def test_what_it_says_to_type_is_understood(tmp_path):
    path = tmp_path / "t.lego"
    path.write_text(
        "data demo { source = Demo  content = [title(8)] }\ntrain base { epochs = 3 }\n"
        "model m = content Pooling -> behavior Pooling -> predict Dot\nrun m on demo with base\n"
    )
    for given, value in (
        ("epochs=6", 6),
        ("limit=24s", 24),
        ("limit=2min", 120),
        ("limit=1h", 3600),
    ):
        checked = check(path, overrides=[f"train.{given}"])
        assert not checked.diagnostics
        assert getattr(checked.specs[0].train, given.partition("=")[0]) == value


@pytest.mark.parametrize("line", ['{"event": "end"}', '{"event": "end", "reason": 3}', "3", ""])
def test_an_end_that_says_no_reason_is_none(tmp_path, line):
    (tmp_path / "log.jsonl").write_text(line + "\n")
    run = Run(tmp_path)
    assert run.end is None
    assert not run.given_up
    assert not run.finished


def test_a_hopeless_training_is_given_up_and_can_go_on(make_job, make_toy):
    values = [0.5, 0.6, 0.55, 0.7]
    told = []

    def third(history):
        told.append(dict(history))
        return len(history) == 3

    straight = make_job("straight", epochs=4)
    object.__setattr__(straight, "validate", Plateau(straight.module, values))
    fit(straight)
    job = make_job("given_up", epochs=4, hopeless=third)
    object.__setattr__(job, "validate", Plateau(job.module, values))
    outcome = fit(job)
    assert (outcome.reason, outcome.epochs, outcome.best_epoch) == ("hopeless", 3, 2)
    assert told == [{1: 0.5}, {1: 0.5, 2: 0.6}, {1: 0.5, 2: 0.6, 3: 0.55}]
    assert entries(job, "end")[-1]["reason"] == "hopeless"
    assert not Run(job.folder).finished
    assert Run(job.folder).given_up
    # Whoever judges the same comes to the same end, without another update.
    again = make_job("given_up", epochs=4, hopeless=third)
    object.__setattr__(again, "validate", Plateau(again.module, []))
    assert fit(again).reason == "hopeless"
    # Whoever does not goes on to the end of one that nobody watched.
    on = make_job("given_up", epochs=4)
    object.__setattr__(on, "validate", Plateau(on.module, values[3:]))
    assert fit(on).reason == "epochs"
    assert Run(on.folder).finished
    assert weights_equal(on.module.state_dict(), straight.module.state_dict())
    one, other = (load_file(each.folder / "best.safetensors") for each in (on, straight))
    assert weights_equal(one, other)
    assert [e["metrics"] for e in entries(on, "evaluation")] == [{"AUC": v} for v in values]
