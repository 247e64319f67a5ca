"""What commands say of their results: what figures rest on, what is new, of which run they are."""

import json
from pathlib import Path

import pytest

from legoc.commands.console import pace
from tests.product.conftest import QUICK, SMALL, run


SPEC = """
data d { source = Demo content = [title(16), subcategory] history = 30 }
model naml = content CNN(hidden=16) -> behavior Additive(dim=16) -> predict Dot
run naml on d
"""


def test_training_again_says_that_the_figures_are_those_of_before(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "naml.lego"
    file.write_text(SPEC, encoding="utf-8")
    overrides = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    flags = (*overrides, "--cache", cache, "--runs", tmp_path / "runs")
    assert run("train", file, *flags) == 0
    first = capsys.readouterr()
    assert "finished before" not in first.out
    assert run("train", file, *flags) == 0
    again = capsys.readouterr()
    assert "finished before (`--again` repeats it)" in again.out
    # The figures rest on groups, and the data is the same doubtful data as in `legoc data`.
    metrics = json.loads(next((tmp_path / "runs").glob("naml-*/metrics.json")).read_text())["test"]
    assert f"{metrics['groups']['all']} {metrics['group']}s" in first.out
    assert run("data", file, *overrides, "--cache", cache, "-q") == 0
    warned = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert warned
    told = [line for line in again.out.splitlines() if line.startswith("warning")]
    # One short epoch does not beat what counting reaches, which is said before.
    assert [line for line in told if line in warned] == warned
    assert all("ranks better" in line for line in told if line not in warned)


def test_a_run_folder_stands_for_its_bundle(
    naml: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"history": []}\n')
    for folder in (naml, naml / "bundle"):
        assert run("inspect", folder, "--json") == 0
        assert run("verify", folder, "--json") == 0
        assert run("recommend", folder, asked, "-k", 2) == 0
        assert run("eval", folder, "--cache", cache, "--json", "-q") == 0
        shown.append(capsys.readouterr().out.partition('"timings"')[0])
    assert shown[0] == shown[1]
    assert run("eval", naml, "--cache", cache, "-q", "--split", "valid") == 0
    assert capsys.readouterr().out.startswith("naml on valid\n")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/spec.json").write_bytes((naml / "spec.json").read_bytes())
    for command in ("inspect", "verify", "recommend"):
        assert run(command, tmp_path / "bare") == 1
        assert "E0592]: the run" in capsys.readouterr().err


def test_a_file_without_a_run_is_told_the_line_to_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pieces.lego"
    file.write_text(SPEC.replace("run naml on d", ""), encoding="utf-8")
    for command in ("train", "prove"):
        assert run(command, file) == 1
        assert "= help: add a line: `run naml on d`\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("speed", "said"), [(1234.5, "1,234 graphs/s"), (1.0, "1 graphs/s"), (0.25, "4 s each")]
)
def test_a_pace_is_never_nothing_a_second(speed: float, said: str) -> None:
    assert pace(speed, "graphs") == said


def test_the_demo_is_not_called_by_the_name_of_its_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "naml.lego"
    file.write_text(SPEC, encoding="utf-8")
    assert run("data", file, "--set", SMALL, "--cache", tmp_path / "cache") == 0
    said = capsys.readouterr().err
    assert "reading train, dev of Demo" in said
    assert "MIND" not in said
