"""docs/own_data.md, done as it says: from two CSV files to recommendations."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from legoc.language import check
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from tests.product.conftest import run


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "own_data.md").read_text("utf-8")


def block(mark: str) -> str:
    """The fenced block after a mark of the page."""
    fenced = PAGE.split(f"<!-- {mark} -->\n```", 1)[1]
    return fenced.split("\n", 1)[1].split("```")[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shop and its spec."""
    folder = tmp_path_factory.mktemp("newcomer")
    subprocess.run([sys.executable, "-c", block("make_shop.py")], cwd=folder, check=True)
    (folder / "shop.lego").write_text(block("shop.lego"), encoding="utf-8")
    return folder


def test_the_files_have_the_columns_shown(place: Path) -> None:
    for name in ("items", "interactions"):
        shown = list(csv.reader(io.StringIO(block(name))))
        with (place / "shop" / f"{name}.csv").open(newline="") as file:
            assert next(csv.reader(file)) == shown[0]
        assert {len(row) for row in shown} == {len(shown[0])}


def test_the_files_shown_are_tables(place: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "shop").mkdir()
    for name in ("items", "interactions"):
        (tmp_path / "shop" / f"{name}.csv").write_text(block(name), encoding="utf-8")
    (tmp_path / "shop.lego").write_text(block("shop.lego"), encoding="utf-8")
    # Three rows leave nothing for the later parts, so all of them train.
    assert run(
        "data", tmp_path / "shop.lego", "--set", "shop.split=time(valid=0%, test=0%)",
        "--cache", cache, "-q", "--strict",
    ) == 0  # fmt: skip


def test_the_message_is_the_one_printed(place: Path) -> None:
    text = block("shop.lego").replace("title", "titel")
    found = check(Document(str(place / "shop.lego"), text))
    printed = render(found.errors).replace(str(place / "shop.lego"), "shop.lego")
    assert printed.strip() == block("message").strip()


def test_from_two_files_to_recommendations(
    place: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", place / "shop.lego") == 0
    assert run("data", place / "shop.lego", "--cache", cache, "--strict") == 0
    assert "200 items, 300 users" in capsys.readouterr().out
    spec = ("train", place / "shop.lego", "--cache", cache, "--runs", place / "runs", "-q")
    assert run(*spec) == 0
    (folder,) = (place / "runs").glob("quick-*")
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    # A fair coin gives 0.5; the kinds of things that a customer likes are in the titles. At the
    # default rate it is 0.76: the training stops before it has learnt the words.
    assert metrics["test"]["metrics"]["GAUC"] > 0.8
    names: dict[str, object] = {}
    code = block("serve").replace("runs/quick-0123456789ab/bundle", str(folder / "bundle"))
    exec(compile(code, "own_data.md", "exec"), names)
    assert len(names["ids"]) == 5  # type: ignore[arg-type]


def test_columns_of_other_names(place: Path) -> None:
    text = block("shop.lego").replace('source = Tables("shop")', block("named").strip())
    # Under another folder nothing is there that the names could be missing in.
    text = text.replace('"shop"', '"elsewhere"')
    found = check(Document(str(place / "shop.lego"), text))
    assert not found.errors
    assert found.specs[0].data.source.args["rating"] == "stars"


def test_a_spec_for_the_shop_is_begun(place: Path, cache: Path) -> None:
    target = place / "begun.lego"
    assert run("new", "--from", place / "shop", "-o", target) == 0
    assert 'Tables("shop")' in target.read_text("utf-8")
    assert run("check", target) == 0
    assert run("data", target, "--cache", cache, "-q", "--strict") == 0


def test_what_everybody_clicks_now(place: Path, cache: Path) -> None:
    (place / "now.lego").write_text(block("context.lego"), encoding="utf-8")
    spec = ("train", place / "now.lego", "--set", "train.epochs=1", "--cache", cache)
    assert run(*spec, "--runs", place / "now", "-q") == 0
    (folder,) = (place / "now").glob("quick-*")
    names: dict[str, object] = {}
    code = block("serve_now").replace("runs/quick-0123456789ab/bundle", str(folder / "bundle"))
    code = code.replace('"clicks"', repr(str(place / "clicks")))
    exec(compile(code, "own_data.md", "exec"), names)
    assert len(names["ids"]) == 5  # type: ignore[arg-type]
    model = names["model"]
    assert model.items.load_counters(place / "clicks") == ()  # type: ignore[attr-defined]
