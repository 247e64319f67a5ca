"""docs/scaling.md, done as it says: two processes by torchrun, and what is refused. What Ray's
workers do is done in `test_spread.py`."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from legoc.language import codes


ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/scaling.md").read_text("utf-8")
COMMANDS = dict(re.findall(r"<!-- (.+?) -->\n```console\n\$ (.+)\n```", PAGE))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaling")
    (found,) = re.findall(r"<!-- news.lego -->\n```lego\n(.*?)```", PAGE, re.DOTALL)
    (folder / "news.lego").write_text(found, "utf-8")
    return folder


def run(line: str, place: Path, *more: str) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(line)
    assert program == "torchrun"
    # Its own port, for others may train on this machine.
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--rdzv-endpoint", "127.0.0.1:0",
         "--rdzv-backend", "c10d", *words, *more],
        cwd=place, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "LEGOC_CACHE": "cache"},
    )  # fmt: skip


def test_two_processes_train_export_and_evaluate_once(place):
    ended = run(COMMANDS["two"], place, "--device", "cpu", "--no-baselines")
    assert ended.returncode == 0, ended.stderr
    (folder,) = (place / "runs").glob("text-*")
    assert json.loads((folder / "environment.json").read_text())["processes"] == 2
    assert (folder / "bundle" / "manifest.json").is_file()
    assert (folder / "metrics.json").is_file()
    lines = (folder / "log.jsonl").read_text().splitlines()
    steps = [line for line in lines if '"step"' in line]
    assert len(steps) == 8
    # What is said is said once.
    assert ended.stderr.count("epoch 1: loss") == 1
    assert ended.stdout.count("evaluated through onnxruntime") == 1


@pytest.mark.parametrize("name", [name for name in COMMANDS if ":" in name])
def test_what_is_refused_is_said_once(place, name):
    code = name.rpartition(" ")[2]
    ended = run(COMMANDS[name], place)
    assert ended.returncode == 1
    assert ended.stderr.count(f"error[{code}]") == 1, ended.stderr


def test_every_code_of_the_page_has_a_page():
    named = set(re.findall(r"E0\d{3}", PAGE))
    assert {"E0567", "E0568", "E0569", "E0576"} <= named
    assert named <= codes.all_codes().keys()
