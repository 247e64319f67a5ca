"""What an evaluation keeps: the files, what they say of themselves, and where they lie."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from legoc.evaluation import compute
from legoc.evaluation.contract import differences, hash_contract
from legoc.evaluation.kept import KEY, places
from legoc.evaluation.public import chosen_metrics
from legoc.experiments.folders import list_folders
from legoc.model.run import Run
from tests.product.conftest import run


@pytest.fixture(scope="module")
def folder(runs):
    return next(one.folder for one in list_folders(runs) if one.point == "text[seed=2]")


def about(path):
    return json.loads(pq.read_schema(path).metadata[KEY])


def test_training_keeps_the_rows_and_the_groups_of_test(folder):
    rows = pq.read_table(folder / "scores.parquet").to_pandas()
    assert list(rows) == ["impression", "user", "item", "label", "score"]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
    assert len(rows) == metrics["counts"]["rows"]
    _, group = np.unique(rows.impression.astype(str), return_inverse=True)
    found = compute(chosen_metrics(Run(folder).spec), rows.score, rows.label, group)
    for name, value in metrics["metrics"].items():
        assert found[name].value == pytest.approx(value, abs=1e-9)


def test_groups_add_up_to_the_figures(folder):
    groups = pq.read_table(folder / "groups.parquet").to_pandas()
    rows = pq.read_table(folder / "scores.parquet").to_pandas()
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
    assert groups.rows.sum() == len(rows)
    assert groups.clicks.sum() == rows.label.sum()
    assert groups.GAUC.count() == metrics["groups"]["all"]
    for name in ("GAUC", "NDCG(5)"):
        assert groups[name].mean() == pytest.approx(metrics["metrics"][name], abs=1e-12)
    for name in ("AUC", "LogLoss", "F1(0.5)"):
        figure = groups[f"{name}.sum"].sum() / groups[f"{name}.weight"].sum()
        assert figure == pytest.approx(metrics["metrics"][name], abs=1e-9)
    first = rows[rows.impression == groups.group[0]]
    assert set(first.user) == {groups.user[0]}
    assert len(first) == groups.rows[0]


def test_both_files_say_what_they_are_of(folder):
    said = about(folder / "groups.parquet")
    spec = Run(folder).spec
    assert said["name"] == spec.name == "text[seed=2]"
    assert said["spec"] == spec.keys.spec
    manifest = json.loads((folder / "bundle/manifest.json").read_text("utf-8"))
    assert said["data"] == manifest["provenance"]["data"]
    assert said["contract digest"] == hash_contract(said["contract"])
    assert said["contract"]["group"] == "impression"
    assert said["figures"]["LogLoss"]["better"] == "lower"
    other = about(folder / "scores.parquet")
    assert {key: other[key] for key in other if key != "figures"} == {
        key: said[key] for key in said if key != "figures"
    }


def test_another_part_and_a_bundle_alone_have_files_of_their_own(folder, cache, tmp_path):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    before = (copy / "scores.parquet").read_bytes()
    assert run("eval", copy, "--scores", "--split", "valid", "--cache", cache, "-q") == 0
    found = places(copy, "valid")
    assert found.scores.name == "scores-valid.parquet"
    assert about(found.groups)["contract"]["part"] == "valid"
    assert (copy / "scores.parquet").read_bytes() == before
    # The bundle of a run speaks for the run; nothing is put into it.
    assert places(copy / "bundle", "test") == places(copy.resolve(), "test")
    shutil.copytree(folder / "bundle", tmp_path / "lone")
    assert run("verify", tmp_path / "lone") == 0
    assert run("eval", tmp_path / "lone", "--scores", "--cache", cache, "-q") == 0
    beside = places(tmp_path / "lone", "test")
    assert beside.groups == (tmp_path / "lone-groups.parquet").resolve()
    assert pq.read_table(beside.groups).equals(pq.read_table(folder / "groups.parquet"))
    assert run("verify", tmp_path / "lone") == 0


def test_a_run_of_before_is_measured_again_and_not_trained(folder, spec, cache, tmp_path):
    shutil.copytree(folder, tmp_path / folder.name)
    copy = tmp_path / folder.name
    kept = (copy / "groups.parquet").read_bytes()
    for name in ("groups.parquet", "scores.parquet"):
        (copy / name).unlink()
    weights = (copy / "best.safetensors").stat().st_mtime_ns
    flags = ("--only", "seed=2", "--cache", cache, "--runs", tmp_path, "-q")
    assert run("train", spec, *flags) == 0
    assert (copy / "groups.parquet").read_bytes() == kept
    assert (copy / "best.safetensors").stat().st_mtime_ns == weights


def test_what_is_trained_anew_keeps_nothing_of_before(folder, spec, cache, tmp_path):
    shutil.copytree(folder, tmp_path / folder.name)
    for name in ("scores-valid.parquet", "groups-valid.parquet"):
        (tmp_path / folder.name / name).write_bytes(b"")
    (tmp_path / folder.name / "bundle/manifest.json").write_text("{}")
    (tmp_path / folder.name / "best.safetensors").unlink()
    flags = ("--only", "seed=2", "--until", "train", "--cache", cache, "--runs", tmp_path, "-q")
    assert run("train", spec, *flags) == 0
    assert not list((tmp_path / folder.name).glob("*.parquet"))


def test_contracts_say_what_differs():
    one = {"part": "test", "split": {"op": "time", "args": {"valid": 0.1}}, "group": "user"}
    other = {"part": "test", "split": {"op": "user", "args": {}}, "group": "impression"}
    assert differences(one, other) == ["split: time(valid=0.1), user", "group: user, impression"]
    assert differences(one, one) == []
    assert hash_contract(one) == hash_contract(dict(reversed(one.items()))) != hash_contract(other)
