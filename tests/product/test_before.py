"""A run folder and its bundle as an earlier layout of the code wrote them still work.

`tests/golden/before` was made at revision ab75d25 with `legoc train` on a small Demo; the answers
beside it are what that revision's runtime gave.
"""

import json
import shutil
from pathlib import Path

import pytest

import legoc_runtime
from legoc.commands.cli import main


BEFORE = Path(__file__).resolve().parents[1] / "golden" / "before"
RUN = BEFORE / "text-a3d681115865"
ANSWERS = json.loads((BEFORE / "answers.json").read_text("utf-8"))


def test_the_bundle_answers_as_it_did():
    model = legoc_runtime.load(RUN / "bundle")
    model.self_test()
    user = model.encode_user(ANSWERS["history"])
    assert model.score(user, ANSWERS["candidates"]) == pytest.approx(ANSWERS["scores"], abs=1e-6)
    ids, values = model.recommend(user, k=5, exclude=ANSWERS["history"])
    assert (list(ids), list(values)) == (
        ANSWERS["recommended"], pytest.approx(ANSWERS["values"], abs=1e-6),
    )  # fmt: skip
    model.items.add([ANSWERS["new"]])
    assert model.score(user, ["new"])[0] == pytest.approx(ANSWERS["new_score"], abs=1e-6)


@pytest.mark.parametrize("command", [["inspect"], ["verify"]], ids=" ".join)
def test_the_bundle_is_whole(command, capsys):
    assert main([*command, str(RUN / "bundle")]) == 0, capsys.readouterr()


def test_the_run_evaluates_to_the_same_metrics(tmp_path, capsys):
    run = shutil.copytree(RUN, tmp_path / RUN.name)
    stored = json.loads((run / "metrics.json").read_text("utf-8"))
    for folder in (run, run / "bundle"):
        assert main(["eval", str(folder), "--cache", str(tmp_path / "cache"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        wanted = stored["test"]["metrics"]["GAUC"]
        assert found["metrics"]["GAUC"] == pytest.approx(wanted, abs=1e-6)


def test_a_run_from_before_newcomers_were_learned_is_read_as_it_was(tmp_path):
    """Its weights have no vector for users without clicks, and none is asked for."""
    from legoc.evaluation import evaluate
    from legoc.language.ir.form import from_json

    spec = from_json(json.loads((RUN / "spec.json").read_text("utf-8")))
    assert spec.model["behavior"]["cold"] == "zero"
    run = shutil.copytree(RUN, tmp_path / RUN.name)
    stored = json.loads((run / "metrics.json").read_text("utf-8"))
    found = evaluate(run, engine="torch", cache=tmp_path / "cache").to_json()
    wanted = stored["test"]["metrics"]["GAUC"]
    assert found["metrics"]["GAUC"] == pytest.approx(wanted, abs=1e-6)
