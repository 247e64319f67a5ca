"""What a finished run is asked for next: reports are made again, trainings are not."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from legoc.data import prepare
from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from legoc.training import train
from legoc.training.checkpoint import state_path
from legoc.training.folder import open_folder
from legoc.writing import workplace
from tests.training.test_train import Watching


TEXT = """
data small {{ source = Demo(items=200, users=60, impressions=300)  content = [title(8)]  {data} }}
train short {{ epochs = 2  batch = 32  lr = 0.01  samples = 96  {train} }}
export edge {{ opset = 18 }}
model m = content Pooling(hidden=16) -> behavior Pooling -> predict Dot
run {run}
"""


def spec_of(train="", *, data="", run="m on small with short"):
    checked = check(Document("t.lego", TEXT.format(train=train, data=data, run=run)))
    assert not checked.errors, [d.message for d in checked.errors]
    (spec,) = checked.specs
    return spec


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def go(spec, runs, cache, **settings):
    progress = Watching()
    run = train(spec, runs=runs, cache=cache, progress=progress, **settings)
    return run, progress


def read(run, name):
    return (run.folder / name).read_bytes()


def test_other_reports_of_a_run_train_nothing(tmp_path, cache):
    """The first metric is the monitor, so it stays the first or is named."""
    first, busy = go(spec_of("metrics = [GAUC, MRR]"), tmp_path, cache)
    assert busy.updates > 0
    weights, bundle = read(first, "best.safetensors"), read(first, "bundle/onnx/predictor.onnx")
    names = list(first.metrics["test"]["metrics"])
    assert names == ["GAUC", "MRR"]
    for asked in (
        "metrics = [GAUC, MRR]  limit = 3h", "metrics = [GAUC]  patience = 40",
        "metrics = [MRR, GAUC]  monitor = GAUC",
    ):  # fmt: skip
        before = read(first, "metrics.json")
        run, idle = go(spec_of(asked, data="tokenizer = words"), tmp_path, cache)
        assert (run.folder, idle.updates) == (first.folder, 0)
        assert read(run, "metrics.json") == before
    run, idle = go(spec_of("metrics = [GAUC, NDCG(5), MRR]"), tmp_path, cache)
    assert (run.folder, idle.updates) == (first.folder, 0)
    found = run.metrics["test"]["metrics"]
    assert list(found) == ["GAUC", "NDCG(5)", "MRR"]
    assert found["GAUC"] == first.metrics["test"]["metrics"]["GAUC"]
    assert "NDCG(5)" in read(run, "bundle/README.md").decode()
    told = run.record("bundle/manifest.json")["spec"]["train"]["metrics"]
    assert [metric["op"] for metric in told] == ["GAUC", "NDCG", "MRR"]
    assert read(run, "best.safetensors") == weights
    assert read(run, "bundle/onnx/predictor.onnx") == bundle
    # Another monitor may find another epoch the best.
    other, busy = go(spec_of("metrics = [MRR, GAUC]"), tmp_path, cache, until="train")
    assert other.folder != first.folder
    assert busy.updates > 0


def test_runs_that_differ_in_their_export_train_once(tmp_path, cache):
    one, busy = go(spec_of(), tmp_path, cache, until="train")
    assert busy.updates > 0
    two, idle = go(spec_of(run="small = m on small with short as edge"), tmp_path, cache)
    assert idle.updates == 0
    assert f"small: trained already, in {one.folder}" in idle.said
    assert two.folder != one.folder
    assert two.finished
    assert two.spec.export.opset == 18
    for name in ("best.safetensors", "log.jsonl", "environment.json"):
        assert read(two, name) == read(one, name)
    assert two.record("bundle/manifest.json")["spec"]["export"]["opset"] == 18
    run, idle = go(spec_of(), tmp_path, cache, until="export")
    assert idle.updates == 0
    assert run.record("bundle/manifest.json")["spec"]["export"]["opset"] == 20
    # Done again, it is done, whatever others have.
    _, busy = go(two.spec, tmp_path, cache, until="train", again=True)
    assert busy.updates > 0


def test_an_interrupted_training_of_another_name_is_not_taken_over(tmp_path, cache):
    with pytest.raises(KeyboardInterrupt):
        train(spec_of(), runs=tmp_path, cache=cache, progress=Watching(interrupt=2))
    other = spec_of(run="other = m on small with short")
    _, busy = go(other, tmp_path, cache, until="train")
    assert busy.updates == 6


def test_a_limit_that_was_too_short_goes_on_in_the_same_run(tmp_path, cache):
    straight, _ = go(spec_of(), tmp_path / "a", cache)
    cut, _ = go(spec_of("limit = 0.001s"), tmp_path / "b", cache)
    assert cut.end["reason"] == "limit"
    assert cut.metrics is not None
    before = read(cut, "best.safetensors")
    _, idle = go(spec_of("limit = 0.001s"), tmp_path / "b", cache)
    assert idle.updates == 0
    run, busy = go(spec_of(), tmp_path / "b", cache)
    assert run.folder == cut.folder
    assert busy.updates > 0
    assert run.end["reason"] == "epochs"
    assert read(run, "best.safetensors") == read(straight, "best.safetensors") != before
    assert run.metrics["test"]["metrics"] == straight.metrics["test"]["metrics"]


def test_the_environment_is_that_of_the_training(tmp_path, cache):
    run, _ = go(spec_of(), tmp_path, cache, until="train")
    before = read(run, "environment.json")
    assert json.loads(before)["threads"] == 1
    go(spec_of("metrics = [GAUC, AUC]"), tmp_path, cache, until="train", threads=2)
    assert read(run, "environment.json") == before


@pytest.mark.parametrize("threads", [1, 2])
def test_every_sitting_is_recorded_and_other_threads_are_said(tmp_path, cache, threads):
    with pytest.raises(KeyboardInterrupt):
        train(spec_of(), runs=tmp_path, cache=cache, progress=Watching(interrupt=4))
    run, later = go(spec_of(), tmp_path, cache, until="train", threads=threads)
    found = run.environment
    assert found["threads"] == 1
    (sitting,) = found["resumed"]
    assert (sitting["epoch"], sitting["updates"], sitting["threads"]) == (2, 1, threads)
    warned = [text for text in later.said if "threads 1 -> 2" in text]
    assert len(warned) == (threads == 2)


def test_a_monitor_without_a_value_stops_before_the_first_update(tmp_path, cache, monkeypatch):
    spec = spec_of()
    prepared = prepare(spec, cache=cache)
    log = prepared.logs["valid"]
    blind = replace(prepared, logs={**prepared.logs, "valid": replace(log, label=log.label * 0)})
    monkeypatch.setattr("legoc.data.prepare", lambda *a, **k: blind)
    progress = Watching()
    with pytest.raises(LegoError) as caught:
        train(spec, runs=tmp_path, cache=cache, progress=progress)
    assert caught.value.diagnostics[0].code == "E0552"
    assert (progress.updates, progress.said) == (0, [])
    # One that is defined there trains.
    _, busy = go(spec_of("metrics = [LogLoss]"), tmp_path, cache, until="train")
    assert busy.updates > 0


KILLED = """
import os, sys
from pathlib import Path
from legoc.writing import workplace
with workplace(Path(sys.argv[1])) as place:
    (place / "part").write_text("x")
    os._exit(9)
"""


def test_what_killed_processes_left_is_removed(tmp_path):
    spec, folder = spec_of(), tmp_path / "run"
    open_folder(folder, spec, again=False)
    (folder / "resume").mkdir()
    kept = ["best.safetensors", "resume/state.safetensors"]
    for name in kept:
        (folder / name).write_bytes(b"x")
    with workplace(folder / "best.safetensors") as place:
        for name in ("bundle", "resume/state.safetensors"):
            done = subprocess.run([sys.executable, "-c", KILLED, str(folder / name)], check=False)
            assert done.returncode == 9
        assert len(list(folder.rglob(".*.legoc"))) == 3
        open_folder(folder, spec, again=False)
        (held,) = folder.rglob(".*.legoc")
        assert held == place
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert found == {*kept, "resume", "model.lego", "spec.json"}


def test_sigterm_saves_and_leaves_by_its_own_code(tmp_path, cache):
    """The command itself, as docker and SLURM stop it."""
    path = tmp_path / "t.lego"
    long = "epochs = 500  patience = 500"
    path.write_text(TEXT.format(train="", data="", run="m on small with short").replace(
        "epochs = 2", long))  # fmt: skip
    command = [sys.executable, "-m", "legoc", "train", str(path), "--runs", str(tmp_path / "runs"),
               "--cache", str(cache), "--until", "train"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        logs = list((tmp_path / "runs").glob("*/log.jsonl"))
        if logs and logs[0].stat().st_size > 500:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "goes on where it stopped" in said
    (folder,) = (p for p in (tmp_path / "runs").iterdir() if p.is_dir())
    assert state_path(folder).is_file()
    assert not list(folder.rglob(".*"))
