"""The commands that the demo prints at its end work as they are pasted."""

import os
import sys
from pathlib import Path

import pytest

from legoc.commands.demo import typed


@pytest.mark.parametrize("on_the_path", [True, False])
def test_the_command_is_named_as_the_shell_finds_it(tmp_path: Path, monkeypatch, on_the_path):
    script = tmp_path / ".venv" / "bin" / "legoc"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [".venv/bin/legoc", "demo"])
    monkeypatch.setenv("PATH", str(script.parent if on_the_path else other) + os.pathsep)
    assert typed() == ("legoc" if on_the_path else ".venv/bin/legoc")


def test_a_module_that_is_run_names_the_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/legoc/__main__.py", "demo"])
    assert typed() == f"{Path(sys.executable).name} -m legoc"
