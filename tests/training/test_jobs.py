"""Runs of a sweep trained at the same time: the same bytes, and whatever ends a process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import legoc
from legoc.data import prepare
from legoc.training.checkpoint import read_position, state_path
from legoc.training.jobs.memory import batch_sizes, estimate
from tests.training.processes import PATIENCE, alive, wait_for, workers


DATA = "data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }\n"
MODEL = "model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot\n"
# Two seeds, and another name for the first: three points, two trainings.
TWICE = (
    DATA
    + MODEL
    + """
train t { epochs = 2 samples = 128 seed in [1, 2] }
run a = m on d with t
train u { epochs = 2 samples = 128 seed = 1 }
run b = m on d with u
"""
)
# More epochs than anybody waits for.
LONG = (
    DATA
    + MODEL
    + """
train t { epochs = 100000 patience = 100000 seed in [1, 2, 3] }
run m on d with t
"""
)
BROKEN = (
    DATA
    + MODEL
    + """
data bad { source = Tables(path="broken") content = [title(8)] split = leave_one_out }
train t { epochs = 1 samples = 128 }
run one = m on bad with t
run two = m on d with t
run three = m on bad with t
"""
)


def command(file: Path, runs: Path, cache: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "legoc", "train", str(file), "--runs", str(runs),
        "--cache", str(cache), "--jobs", "2", "--device", "cpu", *more,
    ]  # fmt: skip


def without_times(value: Any) -> Any:
    """Metrics without what the clock says."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("seconds", "cpu")}
    return value


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_two_at_a_time_leave_what_one_leaves(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "twice.lego"
    file.write_text(TWICE, encoding="utf-8")
    done = subprocess.run(
        command(file, tmp_path / "two", cache), capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    began = time.time()
    specs = legoc.load(file)
    one = legoc.train_all(specs[:2], runs=tmp_path / "one", cache=cache, device="cpu")
    assert not one.failed
    for run in one.done:
        other = tmp_path / "two" / run.folder.name
        weights = other / "best.safetensors"
        assert weights.read_bytes() == run.weights.read_bytes()
        found = json.loads((other / "metrics.json").read_text())
        assert without_times(found) == without_times(run.metrics)
        assert (other / "bundle/manifest.json").is_file()
    # What means the same is trained once, and nothing is made twice.
    said = done.stderr.splitlines()
    assert sum("trained already" in line for line in said) == 1
    assert sum("learning the vocabulary" in line for line in said) == 1
    assert sum("counting TFIDF" in line for line in said) == 1
    assert "run 1 of 3 (a[seed=1]), 1 running" in said
    assert any(line.startswith("run 3 of 3 (") and " left" in line for line in said)
    assert any(line.startswith("a[seed=2]: epoch 2: loss") for line in said)
    # The estimate is not far below what a process has taken.
    for run in one.done:
        cost = json.loads((tmp_path / "two" / run.folder.name / "cost.json").read_text())
        prepared = prepare(run.spec, cache=cache)
        need = estimate(run.spec, prepared, batch_sizes(run.spec, prepared)).total
        assert need > 0.75 * cost["memory"]
    # What is finished is answered as it is.
    again = legoc.train_all(specs, jobs=2, runs=tmp_path / "two", cache=cache, device="cpu")
    assert [run.spec.name for run in again.done] == [spec.name for spec in specs]
    for run in one.done:
        assert json.loads((tmp_path / "two" / run.folder.name / "metrics.json").read_text())
        changed = (tmp_path / "two" / run.folder.name / "best.safetensors").stat().st_mtime
        assert changed < began


def test_a_failure_is_told_last_and_json_stays_one_value(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "broken.lego"
    file.write_text(BROKEN, encoding="utf-8")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/items.csv").write_text("item_id,title\ni1,a b\ni2,c d\n")
    rows = [f"u{u},i{i},{1_700_000_000 + i}" for u in range(5) for i in (1, 2, 9)]
    (tmp_path / "broken/interactions.csv").write_text(
        "\n".join(["user_id,item_id,timestamp", *rows, ""])
    )
    done = subprocess.run(
        command(file, tmp_path / "runs", cache, "--strict", "--json", "--until", "train"),
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 1
    one, two, three = json.loads(done.stdout)
    assert (one["code"], two["finished"], three["code"]) == ("E0629", True, "E0629")
    assert done.stderr.count("2 of 3 runs failed: one, three\nerror[E0629]") == 1
    assert done.stderr.index("2 of 3 runs failed") > done.stderr.index("trained 1 epochs")


def started(file: Path, runs: Path, cache: Path) -> subprocess.Popen[str]:
    """The command, once two of its runs train: each has made updates that are not saved yet."""
    sizes = {path: path.stat().st_size for path in runs.glob("*/log.jsonl")}

    def train() -> bool:
        grown = [p for p in runs.glob("*/log.jsonl") if p.stat().st_size > sizes.get(p, 0) + 2000]
        return len(grown) >= 2

    process = subprocess.Popen(
        command(file, runs, cache, "--until", "train"), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: train() or process.poll() is not None, "two runs that train")
        assert process.poll() is None, process.communicate()
    except BaseException:
        process.kill()
        raise
    return process


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "long.lego").write_text(LONG, encoding="utf-8")
    return tmp_path / "long.lego"


def test_whatever_ends_it_leaves_all_resumable_and_nothing_running(
    long: Path, tmp_path: Path, cache: Path
) -> None:
    """SIGTERM to the command; then SIGKILL to a worker, and Ctrl-C."""
    runs = tmp_path / "runs"
    process = started(long, runs, cache)
    crew = workers(process.pid)
    assert len(crew) == 2
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, said
    assert "goes on where it stopped" in said
    assert not any(alive(number) for number in crew)
    states = [state_path(folder) for folder in runs.iterdir() if folder.is_dir()]
    assert [path.is_file() for path in states] == [True, True]
    # The state is that of the last update: what was logged is not done again.
    logs = {path.parent.name: path.read_bytes() for path in runs.glob("*/log.jsonl")}

    process = started(long, runs, cache)
    crew = workers(process.pid)
    os.kill(crew[0], signal.SIGKILL)
    # Its place is taken by another process, which takes the run that is still to come.
    wait_for(lambda: len(list(runs.glob("*/log.jsonl"))) == 3, "the third run")
    crew += workers(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert said.count("going on in epoch") == 2
    failed = next(line for line in said.splitlines() if "failed (E0580" in line)
    assert failed.startswith("m[seed=")
    assert "was ended by SIGKILL" in failed
    assert not any(alive(number) for number in crew)
    for name, log in logs.items():
        assert (runs / name / "log.jsonl").read_bytes().startswith(log)


@pytest.mark.slow
def test_a_second_signal_does_not_wait(long: Path, tmp_path: Path, cache: Path) -> None:
    process = started(long, tmp_path / "runs", cache)
    crew = workers(process.pid)
    for number in crew:
        os.kill(number, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert not any(alive(number) for number in crew)


@pytest.mark.slow
def test_workers_save_and_stop_when_the_command_is_killed(
    long: Path, tmp_path: Path, cache: Path
) -> None:
    process = started(long, tmp_path / "runs", cache)
    crew = workers(process.pid)
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_for(lambda: not any(alive(number) for number in crew), "the end of the workers")
    logs = list((tmp_path / "runs").glob("*/log.jsonl"))
    assert len(logs) == 2
    # What was logged last is in the state: nothing of it is done again.
    for log in logs:
        position = read_position(log.parent)
        assert position is not None
        assert position.log == log.stat().st_size
