"""Attributes of users from the spec to the runtime: trained, cached by user, exported, served."""

import json
from pathlib import Path

import numpy as np
import pytest

import legoc_runtime
from legoc.commands.cli import main
from legoc.evaluation import evaluate
from legoc.language import check
from tests.product.conftest import QUICK, SMALL, run


SPEC = """
data d {{
  source = Demo
  content = [title(16)]
  history = 30
  user = [{user}]
}}
model m = {model}
run m on d
"""
VECTOR = "content Pooling(hidden=16) -> behavior {} -> predict {}"


def write(folder: Path, model: str, user: str = "age(4), region") -> Path:
    file = folder / "m.lego"
    file.write_text(SPEC.format(user=user, model=model), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "model",
    [VECTOR.format("Additive(dim=16)", "Dot"), VECTOR.format("PolyAttention(codes=3)", "MINER")],
    ids=["vector", "many"],
)
def test_a_known_user_is_not_a_stranger(model: str, tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path, model)
    overrides = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    assert run("train", file, *overrides, "--cache", cache, "--runs", tmp_path / "runs", "-q") == 0
    folder = next((tmp_path / "runs").glob("m-*"))
    scores = [
        evaluate(folder, cache=cache, keep_scores=True, **given).scores
        for given in ({}, {"cached": False}, {"engine": "torch"})
    ]
    assert scores[0] is not None
    for other in scores[1:]:
        np.testing.assert_allclose(scores[0], other, rtol=1e-5, atol=1e-5)
    model_ = legoc_runtime.load(folder / "bundle")
    model_.self_test()
    users = json.loads((folder / "bundle/vocabularies/users.json").read_text("utf-8"))["values"]
    history = list(model_.items.ids[:5])
    stranger = model_.encode_user(history)
    assert not stranger.known
    names = list(users)[:40]
    found = [model_.encode_user(history, user=name) for name in names]
    assert all(user.known for user in found)
    vectors = np.stack([user.vectors.ravel() for user in found])
    assert len(np.unique(vectors.round(5), axis=0)) > 5
    far = np.abs(vectors - stranger.vectors.ravel()).max(1)
    # Some have told nothing of themselves, and are as strangers.
    assert (far > 1e-4).mean() > 0.5


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (VECTOR.format("Null", "DIN"), "passes the clicks through"),
        ("flatten Transformer(hidden=16) -> predict Dot", "encodes items and users alike"),
    ],
)
def test_attributes_need_a_user_vector(model: str, says: str, tmp_path: Path) -> None:
    (error,) = check(write(tmp_path, model)).errors
    assert error.code == "E0607"
    assert says in error.labels[0].text
    assert error.help


def test_an_attribute_that_users_do_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, VECTOR.format("Additive", "Dot"), user="aeg")
    assert main(["check", str(file)]) == 1
    shown = capsys.readouterr().err
    assert "E0601" in shown
    assert "age" in shown
