"""Calibration: the fit against scikit-learn, and two numbers all the way to an application."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression

import legoc_runtime
from legoc.data import prepare
from legoc.evaluation import evaluate
from legoc.exporting import export
from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Call
from legoc.model.run import CALIBRATION, load_recommender
from legoc.training import calibration, train
from legoc.training.platt import fit
from legoc.training.results import last_validation
from tests.training.test_train import Watching, build_spec, call


METRICS = (Call(op="GAUC"), Call(op="LogLoss"), Call(op="F1", args={"threshold": 0.5}))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def recipe(**changes):
    return build_spec(**{"metrics": METRICS, "epochs": 1} | changes)


@pytest.fixture(scope="module")
def raw(cache, tmp_path_factory):
    """The run that is not calibrated."""
    return train(recipe(), runs=tmp_path_factory.mktemp("raw"), cache=cache)


@pytest.fixture(scope="module")
def calibrated(cache, tmp_path_factory):
    return train(recipe(calibrate=True), runs=tmp_path_factory.mktemp("fit"), cache=cache)


def draw(seed, rows=4000, slope=0.7, bias=-2.0, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    scores = (rng.standard_normal(rows) * scale + shift).astype(np.float32)
    chance = 1 / (1 + np.exp(-(slope * (scores - shift) / scale + bias)))
    return scores, (rng.random(rows) < chance).astype(np.float32)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (300, -5000), (1e-3, 0.2), (5, 40)])
def test_the_fit_is_that_of_a_logistic_regression(scale, shift):
    """Platt's targets are a regression in which each row counts as both, weighted."""
    scores, labels = draw(1, scale=scale, shift=shift)
    clicks = int(labels.sum())
    high, low = (clicks + 1) / (clicks + 2), 1 / (len(labels) - clicks + 2)
    target = np.where(labels > 0, high, low)
    unit = (scores.astype(np.float64) - shift) / scale
    twice = np.concatenate([unit, unit])[:, None]
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000)
    model.fit(
        twice, np.repeat([1, 0], len(labels)), sample_weight=np.concatenate([target, 1 - target])
    )
    found = fit(scores, labels)
    assert not found.idle
    assert scale / found.temperature == pytest.approx(model.coef_[0, 0], rel=1e-5)
    assert shift / found.temperature + found.bias == pytest.approx(model.intercept_[0], rel=1e-5)
    assert found == fit(scores, labels)


def loss_of(scores, labels):
    logits = scores.astype(np.float64)
    return (np.logaddexp(0, logits) - logits * labels).mean()


def test_no_fit_turns_the_order_round():
    scores, labels = draw(2, slope=-0.8)
    found = fit(scores, labels)
    assert found.idle
    assert found.temperature > 0
    made = scores / np.float32(found.temperature) + np.float32(found.bias)
    share = labels.mean()
    least = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert loss_of(made, labels) == pytest.approx(least, rel=0.02)
    assert (np.diff(made[np.argsort(scores)]) >= 0).all()
    assert len(np.unique(made)) > 0.99 * len(np.unique(scores))


def test_scores_without_an_answer_have_one():
    same = np.full(10, 3.0, dtype=np.float32)
    labels = np.array([1, *[0] * 9], dtype=np.float32)
    found = fit(same, labels)
    assert found.temperature == 1
    assert 0 < 1 / (1 + np.exp(-(3 + found.bias))) < 0.3
    # Told apart without a mistake, a slope without Platt's targets would have no end.
    apart = fit(np.arange(10, dtype=np.float32), (np.arange(10) > 4).astype(np.float32))
    assert 0.01 < apart.temperature < 10
    huge = fit(*draw(3, scale=1e30))
    assert np.isfinite([huge.temperature, huge.bias]).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_never_turned_round(seed):
    """Rounding may tie what lies closer than single precision tells apart; it swaps nothing."""
    rng = np.random.default_rng(seed)
    scores = np.sort((rng.standard_normal(500) * 10 ** rng.uniform(-3, 3)).astype(np.float32))
    temperature = np.float32(10 ** rng.uniform(-4, 4))
    bias = np.float32(rng.standard_normal() * 10)
    made = scores / temperature + bias
    assert (np.diff(made) >= 0).all()


def test_the_numbers_are_in_the_weights_the_bundle_and_the_reports(raw, calibrated, cache):
    before, after = load_file(raw.weights), load_file(calibrated.weights)
    assert {name for name in after if name not in before} == {
        "calibration.temperature", "calibration.bias",
    }  # fmt: skip
    assert all((before[name] == after[name]).all() for name in before)
    told = calibrated.calibration
    assert raw.calibration is None
    assert after["calibration.temperature"].item() == told["temperature"] > 0
    assert after["calibration.bias"].item() == told["bias"]
    manifest = json.loads((calibrated.bundle / "manifest.json").read_text())
    assert manifest["calibration"] == told
    assert told["LogLoss"]["after"] < told["LogLoss"]["before"] - 0.05
    for run, marked in ((raw, True), (calibrated, False)):
        found = run.metrics["test"]
        assert set(found["marks"]) == ({"LogLoss", "F1(0.5)"} if marked else set())
        assert (found["calibration"] is None) == marked
        card = (run.bundle / "README.md").read_text()
        assert ("| LogLoss\\* |" in card) == marked
        assert ("temperature" in card) != marked
    # The order, and so what is measured of it, is the same.
    one, two = raw.metrics["test"], calibrated.metrics["test"]
    assert one["metrics"]["GAUC"] == pytest.approx(two["metrics"]["GAUC"], abs=1e-6)
    assert two["metrics"]["LogLoss"] < one["metrics"]["LogLoss"] - 0.05


@pytest.mark.parametrize("task", [call("task", "ranking"), call("task", "matching")])
def test_a_card_has_no_figure_of_probabilities_from_before_the_fit(task):
    """Plain logits of `ranking` say something too, and of another model than the calibrated one."""
    metrics = {"GAUC": 0.6, "LogLoss": 0.4, "F1(0.5)": 0.3}
    entry = {"event": "evaluation", "best": True, "metrics": metrics}
    run = SimpleNamespace(log=[entry], spec=recipe(calibrate=True, task=task))
    assert last_validation(run) == {"valid": {"split": "valid", "metrics": {"GAUC": 0.6}}}
    plain = SimpleNamespace(log=[entry], spec=recipe(task=task))
    assert last_validation(plain) == {"valid": {"split": "valid", "metrics": metrics}}


def test_every_engine_gives_calibrated_scores(raw, calibrated, cache):
    told = calibrated.calibration
    plain = evaluate(raw, cache=cache, engine="torch", keep_scores=True).scores
    expected = plain / np.float32(told["temperature"]) + np.float32(told["bias"])
    for settings in ({"engine": "torch"}, {}, {"cached": False}):
        report = evaluate(calibrated, cache=cache, keep_scores=True, **settings)
        assert report.scores == pytest.approx(expected, abs=2e-5)
        assert report.calibration == told
        assert not report.marks
    graph = legoc_runtime.load(calibrated.bundle)
    assert graph.self_test().difference < 1e-5
    bare = legoc_runtime.load(raw.bundle)
    history = [name for name in graph.items.ids[:3]]
    users = graph.encode_user(history), bare.encode_user(history)
    names = graph.items.ids[:59]
    one, two = graph.score(users[0], names), bare.score(users[1], names)
    assert one == pytest.approx(two / told["temperature"] + told["bias"], abs=2e-5)
    # The shortcut in numpy and the graph that other hosts run.
    items = graph.items.vectors[:59]
    through = graph.graphs.predict(
        users[0].vectors[None], items, np.zeros(len(items), dtype=np.int32)
    )
    assert one == pytest.approx(through, abs=2e-5)
    assert one.dtype == np.float32
    together = graph.score_users([users[0]], [names])[0]
    assert together == pytest.approx(one, abs=2e-5)
    assert graph.recommend(users[0], k=20)[0] == bare.recommend(users[1], k=20)[0]


def test_a_predictor_that_is_no_inner_product(cache, tmp_path):
    """Target-aware, so the user matrix is none; and a cosine compared with the label as it is."""
    for number, (predict, task) in enumerate(
        (
            (call("predict", "DNN"), call("task", "ranking", negatives=2)),
            (call("predict", "Cosine"), call("task", "ranking", loss="mse")),
        )
    ):
        spec = recipe(calibrate=True, task=task, samples=640)
        spec = replace(spec, model={**spec.model, "predict": predict})
        run = train(spec, runs=tmp_path / str(number), cache=cache)
        told, found = run.calibration, run.metrics["test"]
        assert told["LogLoss"]["after"] < told["LogLoss"]["before"]
        torch_report = evaluate(run, cache=cache, engine="torch")
        assert found["metrics"]["LogLoss"] == pytest.approx(torch_report["LogLoss"], abs=1e-5)
        assert found["metrics"]["LogLoss"] < 0.6
        assert found["marks"] == {}


def test_killed_before_it_is_written_down_it_is_done_again(
    calibrated, cache, tmp_path, monkeypatch
):
    """Neither a training that was not calibrated yet nor one that was twice is ever used."""
    spec = recipe(calibrate=True)
    with monkeypatch.context() as patch:
        patch.setattr(calibration, "write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            train(spec, runs=tmp_path, cache=cache, until="train")
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    rows = prepare(spec, cache=cache).rows
    from legoc.model.run import Run

    for refused in (lambda: load_recommender(Run(folder), rows), lambda: export(folder)):
        with pytest.raises(LegoError) as caught:
            refused()
        assert caught.value.diagnostics[0].code == "E0560"
    later = Watching()
    run = train(spec, runs=tmp_path, cache=cache, until="train", progress=later)
    assert later.updates == 0
    assert run.weights.read_bytes() == calibrated.weights.read_bytes()
    assert run.calibration == calibrated.calibration
    idle = Watching()
    train(spec, runs=tmp_path, cache=cache, until="train", progress=idle)
    assert not any("calibrated" in line for line in idle.said)
    # A run of another name takes it over with its numbers.
    other = train(replace(spec, name="other"), runs=tmp_path, cache=cache, until="train")
    assert other.folder != run.folder
    assert (other.folder / CALIBRATION).read_bytes() == (run.folder / CALIBRATION).read_bytes()


def stop(*given):
    raise KeyboardInterrupt


def test_what_a_limit_ended_and_more_time_goes_on_with(cache, tmp_path):
    spec = recipe(calibrate=True, epochs=3, limit=0.01)
    first = train(spec, runs=tmp_path, cache=cache, until="train")
    early = first.calibration
    assert early is not None
    run = train(replace(spec, train=replace(spec.train, limit=None)), runs=tmp_path, cache=cache)
    straight = train(
        recipe(calibrate=True, epochs=3), runs=tmp_path / "straight", cache=cache, until="train"
    )
    assert run.folder == first.folder
    assert run.calibration != early
    assert run.weights.read_bytes() == straight.weights.read_bytes()
    assert run.calibration == straight.calibration


TEXT = """
data small {{ source = Demo(items=200, users=60, impressions=300)  content = [title(8)]
  split = {split} }}
train short {{ epochs = 1  calibrate = true }}
model m = content Pooling(hidden=16) -> behavior Pooling -> predict Dot
run m on small with short
"""


def test_without_labels_nothing_trains(cache, tmp_path, monkeypatch):
    checked = check(Document("t.lego", TEXT.format(split="time(valid=0%, test=10%)")))
    (found,) = checked.errors
    assert found.code == "E0556"
    (spec,) = check(Document("t.lego", TEXT.format(split="publisher"))).specs
    prepared = prepare(spec, cache=cache)
    log = prepared.logs["valid"]
    for label, said in (
        (np.full(log.rows, np.nan), "no row of the validation part has a label"),
        (np.ones(log.rows), "the validation part has clicks alone"),
        (np.zeros(log.rows), "the validation part has non-clicks alone"),
    ):
        logs = {**prepared.logs, "valid": replace(log, label=label.astype(np.float32))}
        with pytest.raises(LegoError) as caught:
            calibration.verify_labels(spec, replace(prepared, logs=logs))
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "E0556"
        assert diagnostic.message.endswith(said)
        assert diagnostic.primary is not None
        assert diagnostic.primary.text == "true"
    logs = {name: log for name, log in prepared.logs.items() if name != "valid"}
    with pytest.raises(LegoError) as caught:
        calibration.verify_labels(spec, replace(prepared, logs=logs))
    assert "no validation part" in caught.value.diagnostics[0].message


def test_the_mark_says_why(raw, cache):
    report = evaluate(raw, cache=cache)
    assert [row[0] for row in report.table()][:3] == ["GAUC", "LogLoss*", "F1(0.5)*"]
    assert "* LogLoss, F1(0.5): after `matching` scores order items" in report.summary()
    assert set(report.to_json()["marks"]) == {"LogLoss", "F1(0.5)"}
