"""The files of this folder only have to type-check: right uses of the public names pass, and each
wrong one marked with an `ignore` is an error that it hides (an ignore that hides none is one)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


HERE = Path(__file__).resolve().parent


def test_the_public_names_have_types() -> None:
    if shutil.which("node") is None:
        pytest.skip("pyright would download Node.js")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "."],
        capture_output=True, text=True, cwd=HERE, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    said = [
        f"{Path(d['file']).name}:{d['range']['start']['line'] + 1}: {d['message']}"
        for d in found["generalDiagnostics"]
    ]
    assert not said, "\n".join(said)
    assert found["summary"]["filesAnalyzed"] >= 3


def test_the_marker_ships() -> None:
    assert (HERE.parents[1] / "legoc/py.typed").is_file()


@pytest.mark.parametrize("name", ["checking", "declaring", "running"])
def test_the_files_hold_wrong_uses_too(name: str) -> None:
    text = (HERE / f"{name}.py").read_text("utf-8")
    assert "reportUnnecessaryTypeIgnoreComment=true" in text
    assert text.count("# pyright: ignore[") >= 3
