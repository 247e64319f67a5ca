"""A sweep on Ray that is told to stop: all is resumable, and nothing is left running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from legoc.training.checkpoint import read_position
from tests.training.processes import PATIENCE, alive, descendants, title, wait_for


pytest.importorskip("ray", reason="the extra `ray` is not installed")

FILE = """
data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 100000 patience = 100000 samples = 128 seed in [1, 2, 3] }
run m on d with t
"""


def test_a_stop_saves_all_and_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "long.lego").write_text(FILE, encoding="utf-8")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "legoc", "train", "long.lego", "--engine", "ray", "--jobs", "2",
            "--cache", "cache", "--device", "cpu", "--until", "train",
        ],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
        | {"RAY_worker_niceness": "0"},
    )  # fmt: skip
    logs: list[Path] = []

    def train() -> bool:
        logs[:] = [p for p in tmp_path.glob("runs/*/log.jsonl") if p.stat().st_size > 2000]
        return len(logs) == 2 or process.poll() is not None

    try:
        wait_for(train, "two runs that train")
        assert process.poll() is None, process.communicate()
        started = descendants(process.pid)
        assert sum(title(number).startswith("ray::train m[seed=") for number in started) == 2
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        raise
    assert process.returncode == 143, said
    assert said.splitlines()[-1] == "interrupted; the same command goes on where it stopped"
    assert "lost its worker" not in said
    # What was logged last is in the state: nothing of it is done again.
    for log in logs:
        position = read_position(log.parent)
        assert position is not None
        assert position.log == log.stat().st_size
    wait_for(lambda: not any(alive(number) for number in started), "the end of Ray's processes")
