"""What a shell does with the streams of a command: readers that leave, streams that are closed,
disks that are full, encodings that lack letters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product.conftest import ROOT, run


SPEC = """
data d { source = Demo(items=200, users=60, impressions=100) content = [title(8)] }
model a = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
model b = content Pooling(hidden=16) -> behavior Additive(dim=8) -> predict Dot
run a on d
run b on d
"""
COMMANDS = (
    ["--version"],
    ["check", "--help"],
    ["check", "two.lego", "--ir"],
    ["explain", "E0403"],
    ["operators"],
    ["compile", "two.lego"],  # through rich
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pipes")
    (place / "two.lego").write_text(SPEC, encoding="utf-8")
    return place


def shell(folder: Path, command: list[str], streams: str, **more: str) -> tuple[int, str]:
    """Exit code and standard error of a command whose streams the shell has changed."""
    line = f'"$PYTHON" -m legoc {" ".join(command)} {streams}'
    place = {"PYTHON": sys.executable, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    given = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env={**given, **place, **more}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "defect of legoc" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone(command: list[str], folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    given = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    place = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    for settings in ({}, {"PYTHONUNBUFFERED": "1"}):
        done = subprocess.run(
            [sys.executable, "-m", "legoc", *command], cwd=folder, stdout=writer,
            stderr=subprocess.PIPE, env={**given, **place, **settings}, check=False,
        )  # fmt: skip
        # argparse prints its help to nobody without a word.
        assert done.returncode in ((141,) if "--help" not in command else (0, 141))
        assert done.stderr == b""
    os.close(writer)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_is_full(command: list[str], folder: Path) -> None:
    code, said = shell(folder, command, "> /dev/full")
    assert code == 1
    assert "error[E0562]" in said
    assert "no space left on device" in said


@pytest.mark.parametrize("command", COMMANDS[2:], ids=" ".join)
def test_output_that_is_closed(command: list[str], folder: Path) -> None:
    code, said = shell(folder, command, ">&-")
    assert (code, "error[E0562]: `standard output`: closed" in said) == (1, True)
    # Who closes standard error does not want to hear of anything.
    assert shell(folder, command, "2>&- > shown")[0] == 0
    assert (folder / "shown").stat().st_size
    assert shell(folder, [*command[:1], "nowhere", *command[2:]], "2>&- >&- <&-")[0] != 0


def test_a_command_that_says_nothing_needs_no_output(folder: Path) -> None:
    assert shell(folder, ["check", "-q", "two.lego"], ">&-") == (0, "")


def test_records_from_a_closed_input(folder: Path) -> None:
    code, said = shell(folder, ["recommend", "."], "<&-")
    assert (code, "error[E0863]: standard input is closed" in said) == (1, True)


def test_letters_that_an_encoding_lacks(folder: Path) -> None:
    for command in (
        ["compile", "two.lego"],
        ["new"],
        ["operators"],
        ["operators", "predict", "DIN"],
    ):
        code, _ = shell(folder, command, "> shown", PYTHONIOENCODING="ascii")
        assert code == 0
        assert (folder / "shown").read_bytes().isascii()


@pytest.mark.parametrize(
    "command",
    [
        ["operators", "--json"],
        ["check", "two.lego", "two.lego", "--ir"],
        ["check", "two.lego", "--ir", "--format", "json"],
        ["check", "two.lego", "nowhere.lego", "--format", "json"],
        ["compile", "two.lego", "--json"],
        ["data", "two.lego", "--json", "-q"],
    ],
    ids=" ".join,
)
def test_json_is_one_value(
    command: list[str],
    folder: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LEGOC_CACHE", str(cache))
    assert run(*command) == ("nowhere.lego" in command)
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
