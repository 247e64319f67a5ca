"""`legoc eval --device`: the weights of a run by torch, before there is a bundle."""

import json

import pytest

from legoc.commands.cli import main
from legoc.evaluation import evaluate
from legoc.training import train
from tests.training.test_train import build_spec


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("device")


@pytest.fixture(scope="module")
def run(place):
    spec = build_spec(epochs=1, samples=128)
    return train(spec, runs=place / "runs", cache=place / "cache", until="train", device="cpu")


def test_a_run_is_measured_without_a_bundle_as_with_one(run, place, capsys):
    words = [str(run.folder), "--cache", str(place / "cache"), "--no-baselines", "--quiet"]
    assert main(["eval", *words]) == 1
    assert "has no bundle yet" in capsys.readouterr().err
    assert main(["eval", *words, "--device", "cpu", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    spec = build_spec(epochs=1, samples=128)
    again = train(spec, runs=place / "runs", cache=place / "cache", until="export", device="cpu")
    through = evaluate(again, cache=place / "cache")
    assert found["metrics"] == pytest.approx(through.to_json()["metrics"], abs=1e-6)


def test_a_device_that_is_not_there_is_told(run, capsys):
    assert main(["eval", str(run.folder), "--device", "nowhere"]) == 1
    assert "there is no device `nowhere`" in capsys.readouterr().err


def test_a_bundle_on_its_own_has_no_weights_for_torch(run, place, capsys):
    assert main(["eval", str(run.bundle), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert "E0592" in said
    assert "torch evaluates the weights of a run" in said
