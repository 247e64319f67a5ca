"""A sweep on Ray that is told to stop: all is resumable, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legoc.training.checkpoint import read_position


pytest.importorskip("ray", reason="the extra `ray` is not installed")

FILE = """
data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 100000 patience = 100000 samples = 128 seed in [1, 2, 3] }
run m on d with t
"""
PATIENCE = 240.0


def wait_for(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE:.0f} s for {what}")


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def descendants(number: int) -> list[int]:
    """The processes that a process, or one of those, has started."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if text := read(path):
            parent = int(text.rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found: list[int] = []
    waiting = [number]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def title(number: int) -> str:
    return read(Path(f"/proc/{number}/cmdline")).replace("\0", " ").strip()


def alive(number: int) -> bool:
    text = read(Path(f"/proc/{number}/stat"))
    return bool(text) and text.rpartition(")")[2].split()[0] != "Z"


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
