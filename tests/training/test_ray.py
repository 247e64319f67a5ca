"""Runs that Ray's workers train: the bytes of processes of our own, and a worker that is killed.

One Ray is started here, by the command of the fixture; its second run fails.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import legoc
from tests.training.processes import PATIENCE, descendants, read, title, wait_for


pytest.importorskip("ray", reason="the extra `ray` is not installed")

FILE = """
data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
data bad { source = Tables(path="broken") content = [title(8)] split = leave_one_out }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 60 patience = 60 samples = 128 }
run one = m on d with t
run two = m on bad with t
"""


def evaluations(runs: Path) -> int:
    return sum(read(path).count('"evaluation"') for path in runs.glob("one-*/log.jsonl"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a sweep; the data of its second run has a line that is not right."""
    place = tmp_path_factory.mktemp("ray")
    (place / "sweep.lego").write_text(FILE, encoding="utf-8")
    (place / "broken").mkdir()
    (place / "broken/items.csv").write_text("item_id,title\ni1,a b\ni2,c d\n")
    rows = [f"u{u},i{item},{1_700_000_000 + item}" for u in range(5) for item in (1, 2, 9)]
    (place / "broken/interactions.csv").write_text(
        "\n".join(["user_id,item_id,timestamp", *rows, ""])
    )
    return place


@pytest.fixture(scope="module")
def disturbed(place: Path) -> subprocess.CompletedProcess[str]:
    """The command, whose worker is killed in the middle of the training."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "legoc", "train", str(place / "sweep.lego"), "--engine", "ray",
            "--jobs", "2", "--runs", "runs", "--cache", "cache", "--device", "cpu", "--strict",
            "--until", "train", "--json",
        ],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
        | {"RAY_worker_niceness": "0"},
    )  # fmt: skip
    try:
        runs = place / "runs"
        wait_for(lambda: evaluations(runs) >= 3 or process.poll() is not None, "three epochs")
        assert process.poll() is None, process.communicate()
        working = [n for n in descendants(process.pid) if title(n) == "ray::train one"]
        assert len(working) == 1
        os.kill(working[0], signal.SIGKILL)
        at = evaluations(runs)
        out, err = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        raise
    assert at < 60, "the training was over before its worker was killed"
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_a_killed_worker_costs_what_was_not_saved(
    place: Path, disturbed: subprocess.CompletedProcess[str]
) -> None:
    said = disturbed.stderr.splitlines()
    lost = [line for line in said if "lost its worker" in line]
    assert len(lost) == 1, disturbed.stderr
    assert lost[0].startswith("one: lost its worker (The worker died unexpectedly")
    assert lost[0].endswith("another one goes on, 2 more may follow")
    assert sum("going on in epoch" in line for line in said) == 1
    spec = legoc.load(place / "sweep.lego")[0]
    (folder,) = (place / "runs").glob("one-*")
    run = legoc.train(
        spec, runs=place / "undisturbed", cache=place / "cache", device="cpu", until="train"
    )
    assert run.folder.name == folder.name
    assert (folder / "best.safetensors").read_bytes() == run.weights.read_bytes()
    # Every epoch is told once.
    whole, other = (read(path / "log.jsonl").splitlines() for path in (run.folder, folder))
    assert [event(line) for line in whole] == [event(line) for line in other]


def event(line: str) -> tuple[Any, ...]:
    entry = json.loads(line)
    return entry["event"], entry.get("epoch"), entry.get("update"), entry.get("loss")


def test_output_is_ours_alone(place: Path, disturbed: subprocess.CompletedProcess[str]) -> None:
    """Ray's lines stand nowhere, JSON is one value, and a failure is told last."""
    assert disturbed.returncode == 1
    one, two = json.loads(disturbed.stdout)
    assert (one["finished"], two["code"]) == (True, "E0629")
    # Its folder is said as the command was given it.
    assert Path(one["folder"]).parent == Path("runs")
    for line in disturbed.stderr.splitlines():
        assert "raylet" not in line
        assert "worker.py" not in line
        assert "WARNING" not in line
    assert "run 1 of 2 (one), 1 running" not in disturbed.stderr  # the other one failed before
    assert "run 2 of 2 (one), 1 running" in disturbed.stderr
    assert disturbed.stderr.rstrip().splitlines()[-1].strip()
    assert disturbed.stderr.index("1 of 2 runs failed: two") > disturbed.stderr.index("trained 60")
    # What was written to try the folders is gone.
    assert not list(place.glob("runs/.probe-*")) + list(place.glob("cache/.probe-*"))
