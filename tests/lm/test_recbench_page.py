"""docs/recbench.md, done as it says: from a folder to a table and to recommendations; and the
shipped spec on a tiny model."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.experiments.blocks import bare_name
from legoc.experiments.naming import chosen_on
from legoc.experiments.published import read_published
from legoc.language import check
from legoc.language.declaring.shipped import shipped
from tests.lm.answering import save_causal


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recbench.md").read_text("utf-8")
SPEC = shipped("specs") / "recbench.lego"
DEMO = "Demo(items=200, users=50, impressions=80)"


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


def test_the_shipped_spec_has_ten_data_sets_and_both_ways():
    checked = check(SPEC)
    assert not checked.errors
    found = {}
    for spec in checked.specs:
        found.setdefault(bare_name(spec.name), []).append(spec)
    assert all(len(specs) == 10 for specs in found.values())
    assert {
        name: (found[name][0].model["predict"].op, found[name][0].train.epochs)
        for name in ("yesno", "match", "yesno_tuned", "match_tuned")
    } == {
        "yesno": ("YesNo", 0), "match": ("Dot", 0),
        "yesno_tuned": ("YesNo", 10), "match_tuned": ("Cosine", 10),
    }  # fmt: skip
    lora = found["yesno_tuned"][0].model["flatten"]["lora"].args
    assert (lora["r"], lora["alpha"], lora["dropout"]) == (32, 128, 0.1)
    split = {"test": 20_000, "train": 100_000}
    for spec in checked.specs:
        assert spec.data.history == 20
        assert (spec.data.split.op, {n: spec.data.split[n] for n in split}) == ("recbench", split)
    # Ten models in two ways and two in one, beside those of one's own.
    assert len(found) == 4 + 22


def test_published_figures_are_of_rows_and_data_sets_of_the_spec():
    names = {(chosen_on(s.name, "data"), bare_name(s.name)) for s in check(SPEC).specs}
    published = read_published(SPEC.with_suffix(".csv"))
    known = {(data, row) for data, row, _ in published.figures if (data, row) in names}
    alone = {row for data, row, _ in published.figures if (data, row) not in names}
    assert len(known) == 22 * 10
    assert all("(" in row for row in alone)
    assert {data for data, _, _ in published.figures} == {data for data, _ in names}
    assert published.figures["mind", "e5", "GAUC"] == 0.601


def test_the_shipped_spec_runs_on_a_small_model(place, cache, tmp_path, capsys):
    words = [
        "mind.source=" + DEMO, "mind.split=publisher", f"lm={place / 'model'}", "width=16",
        "train.samples=32", "data.history=5",
    ]  # fmt: skip
    sets = [part for word in words for part in ("--set", word)]
    place_of = ["--runs", str(tmp_path), "--no-baselines", "-q"]
    given = [*sets, *place_of, "--cache", str(cache), "--only", "data=mind,model=yesno"]
    assert main(["eval", str(SPEC), *given]) == 0
    assert "Recall(5)" in capsys.readouterr().out
    assert main(["train", str(SPEC), *given]) == 0
    capsys.readouterr()
    beside = ["--published", str(SPEC.with_suffix(".csv")), "--latency", "--format", "csv"]
    assert main(["table", str(SPEC), *sets, *place_of, *beside]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    (own,) = [row for row in rows if row["model"] == "yesno" and row["GAUC"]]
    assert (own["data"], own["why"]) == ("mind", "")
    report = json.loads(next(tmp_path.glob("*/metrics.json")).read_text("utf-8"))["test"]
    timings = report["timings"]
    assert timings["prefixes"]["rows"] == report["counts"]["users"]
    spent = sum(timing["seconds"] for timing in timings.values())
    each = 1000 * spent / report["counts"]["rows"]
    assert float(own["ms_per_sample"]) == pytest.approx(each)
    assert 0 < float(own["saved_by_reuse"]) < 1
    # Thirteen models in two ways or one, on ten data sets, and eighteen rows that are none of them.
    assert len({row["model"] for row in rows}) == 26 + 18
    assert all(row["why"] for row in rows if row is not own)


def test_the_board_of_the_page(place, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").symlink_to(place / "model")
    for name in ("board", "figures.csv"):
        file = name if "." in name else f"{name}.lego"
        (tmp_path / file).write_text(block(f"<!-- {name} -->"), "utf-8")
    for line in block("<!-- boards -->").strip().splitlines():
        words = line.removeprefix("$ legoc ").split()
        more = [] if words[0] == "table" else ["--cache", str(cache)]
        assert main([*words, *more, "--no-baselines", "-q"]) == 0
    said = capsys.readouterr().out
    assert "GAUC by data set" in said
    assert "Theirs, published" in said
    assert "saved by reuse" in said
    assert "asked[predict=YesNo], asked[predict=Dot] on other: no run" in said or (
        "every row on other: no run" in said
    )
    assert (tmp_path / "report.html").is_file()
