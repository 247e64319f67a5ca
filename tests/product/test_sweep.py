"""Several runs in one file: one that fails keeps none of the others from their end."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from legoc.commands.sweep import show_failures
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import SILENT
from legoc.training.sweep import Sweep, go_on
from tests.product.conftest import run


SPEC = """
data good { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
data bad { source = Tables(path="broken") content = [title(8)] split = leave_one_out }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
model n = content Pooling(hidden=16) -> behavior Pooling -> predict Dot
train t { epochs = 1 samples = 128 }
run a = m on bad with t
run b = m on good with t
run c = n on bad with t
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sweep.lego").write_text(SPEC, encoding="utf-8")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/items.csv").write_text("item_id,title\ni1,a b\ni2,c d\n")
    rows = [f"u{u},i{i},{1_700_000_000 + i}" for u in range(5) for i in (1, 2, 9)]
    (tmp_path / "broken/interactions.csv").write_text(
        "\n".join(["user_id,item_id,timestamp", *rows, ""])
    )
    return tmp_path


def test_the_others_are_finished_and_the_failures_come_last(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--cache", cache, "--runs", folder / "runs", "--strict")
    assert run("train", folder / "sweep.lego", *flags) == 1
    shown = capsys.readouterr()
    assert f"b: {folder / 'runs' / 'b-'}" in shown.out
    assert (next((folder / "runs").glob("b-*")) / "metrics.json").is_file()
    assert "a failed (E0629" in shown.err
    assert shown.err.count("2 of 3 runs failed: a, c\nerror[E0629]") == 1
    assert shown.err.index("2 of 3 runs failed") > shown.err.index("trained 1 epochs")
    assert run("train", folder / "sweep.lego", *flags, "-q", "--json") == 1
    a, b, c = json.loads(capsys.readouterr().out)
    assert (a["name"], a["finished"], a["code"]) == ("a", False, "E0629")
    assert (b["name"], b["finished"]) == ("b", True)
    assert c["error"] == a["error"]


def test_what_check_knows_stops_it_before_anything_trains(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sweep.lego").write_text(SPEC.replace("n = content Pooling", "n = content Poolin"))
    assert run("train", folder / "sweep.lego", "--cache", cache, "--runs", folder / "runs") == 1
    assert "Poolin" in capsys.readouterr().err
    assert not (folder / "runs").exists()


def specs(*names: str) -> Any:
    return [SimpleNamespace(name=name) for name in names]


def test_a_defect_of_ours_ends_no_other_run_either(capsys: pytest.CaptureFixture[str]) -> None:
    def work(spec: Any) -> Any:
        if spec.name == "b":
            raise RuntimeError("a tensor of another shape")
        if spec.name == "c":
            raise fail("E0562", "the disk is full")
        return f"run {spec.name}"

    sweep = Sweep()
    go_on(specs("a", "b", "c", "d"), work, sweep, SILENT)
    assert sweep.done == ["run a", "run d"]
    assert [failure.spec.name for failure in sweep.failed] == ["b", "c"]
    assert show_failures(sweep.failed, 4) == 70
    said = capsys.readouterr().err
    assert said.startswith("\n2 of 4 runs failed, for 2 reasons\n\n1 of 4 runs failed: b")
    assert "defect of legoc" in said
    assert "1 of 4 runs failed: c\nerror[E0562]: the disk is full" in said
    assert show_failures([], 4) == 0


@pytest.mark.parametrize("stop", [KeyboardInterrupt, BrokenPipeError])
def test_who_stops_it_stops_all_of_it(stop: type[BaseException]) -> None:
    def work(spec: Any) -> Any:
        if spec.name == "b":
            raise stop
        return f"run {spec.name}"

    sweep = Sweep()
    with pytest.raises(stop):
        go_on(specs("a", "b", "c"), work, sweep, SILENT)
    # What is done can still be shown.
    assert sweep.ended == ["run a"]
