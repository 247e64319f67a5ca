"""docs/recbench.md, done as it says: from a folder to a table and to recommendations; and the
shipped spec on a tiny model."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.language import check
from legoc.language.declaring.shipped import shipped
from tests.lm.answering import save_causal


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recbench.md").read_text("utf-8")
SPEC = shipped("specs") / "recbench.lego"
DEMO = "data.source=Demo(items=200, users=50, impressions=80)"


def block(mark):
    return re.split(r"```\w*\n", PAGE.split(mark, 1)[1], maxsplit=2)[1].split("```")[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    save_causal(folder / "model", "Llama")
    (folder / "asked.lego").write_text(block("<!-- asked -->"), encoding="utf-8")
    return folder


def test_the_page_from_a_folder_to_a_table(place, cache, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert main(["compile", "asked.lego", "-q"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"users +per user, [\d.]+ \w+ each \([\d,]+ tokens x 48 numbers\)", said)
    given = ["--cache", str(cache), "-q"]
    assert main(["eval", "asked.lego", "--no-baselines", *given]) == 0
    shown = capsys.readouterr()
    assert "yesno on test" in shown.out
    assert "match on test" in shown.out
    assert "yesno_tuned, match_tuned" in shown.out
    assert main(["train", "asked.lego", "--no-baselines", *given]) == 0
    capsys.readouterr()
    assert main(["table", "asked.lego", "--format", "csv", "-q"]) == 0
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert rows.keys() == {"yesno", "match", "yesno_tuned", "match_tuned"}
    assert all(0 <= float(row["GAUC"]) <= 1 for row in rows.values())
    serve(place, json.loads((place / "runs/index.json").read_text("utf-8")))


def test_the_model_behind_an_interface_checks(tmp_path):
    (tmp_path / "remote.lego").write_text(block("<!-- behind -->"), encoding="utf-8")
    found = check(tmp_path / "remote.lego")
    assert not found.errors
    assert found.specs[0].model["predict"].op == "API"


def serve(place, index):
    """The code of the page, for both kinds of bundle."""
    import legoc_runtime

    for name in ("yesno_tuned", "match_tuned"):
        bundle = place / "runs" / index[name] / "bundle"
        clicks = list(legoc_runtime.load(bundle).items.ids[:3])
        code = block("<!-- serve -->").replace('"bundle"', repr(str(bundle)))
        names = {"clicks": clicks}
        exec(compile(code, "recbench.md", "exec"), names)
        assert len(names["names"]) == 5
        assert not set(names["names"]) & set(clicks)


def test_what_trains_is_not_evaluated_as_it_is(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    words = ["--set", "train.epochs=2", "--no-baselines", "-q"]
    assert main(["eval", "asked.lego", *words]) == 1
    assert "E0633" in capsys.readouterr().err


def test_the_shipped_spec_has_both_ways_untrained_and_tuned():
    checked = check(SPEC)
    assert not checked.errors
    found = {spec.name: spec for spec in checked.specs}
    assert {name: (s.model["predict"].op, s.train.epochs) for name, s in found.items()} == {
        "yesno": ("YesNo", 0), "match": ("Dot", 0),
        "yesno_tuned": ("YesNo", 10), "match_tuned": ("Cosine", 10),
    }  # fmt: skip
    lora = found["yesno_tuned"].model["flatten"]["lora"].args
    assert (lora["r"], lora["alpha"], lora["dropout"]) == (32, 128, 0.1)
    assert all(spec.data.history == 20 for spec in found.values())


def test_the_shipped_spec_runs_on_a_small_model(place, cache, tmp_path, capsys):
    words = [
        DEMO, "data.split=publisher", f"lm={place / 'model'}", "width=16", "train.samples=32",
        "data.history=5",
    ]  # fmt: skip
    sets = [part for word in words for part in ("--set", word)]
    given = [*sets, "--runs", str(tmp_path), "--cache", str(cache), "--no-baselines", "-q"]
    assert main(["eval", str(SPEC), *given]) == 0
    assert "Recall(5)" in capsys.readouterr().out
