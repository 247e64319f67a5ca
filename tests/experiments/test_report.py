"""`legoc report`: the page of real runs, read back and compared with what it is made of."""

import csv
import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from legoc.experiments.reporting.markup import plain, said, table
from tests.experiments.pages import Element, read_page, rows_of
from tests.product.conftest import run


@pytest.fixture(scope="module")
def written(spec: Path, runs: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("page") / "both.html"
    assert run("report", spec, "--runs", runs, "-o", place, "--cache", cache, "-q") == 0
    return place.read_text("utf-8")


@pytest.fixture(scope="module")
def page(written: str) -> Element:
    return read_page(written)


def report(*words: object, cache: Path) -> int:
    return run("report", *map(str, words), "--cache", cache, "-q")


def test_it_loads_nothing_from_elsewhere(written: str, page: Element) -> None:
    assert not re.findall(r"\b(?:src|srcset|action|poster|data)\s*=", written)
    assert "http:" not in written
    assert "https:" not in written
    assert not re.findall(r"url\(|@import|<script|<link|<iframe|<base", written)
    links = [each.attributes["href"] for each in page.all("a")]
    ids = [s.attributes["id"] for s in page.all("section")]
    assert links == [f"#{name}" for name in ids]


def test_it_names_no_folder_of_the_machine(written: str, runs: Path, cache: Path) -> None:
    for place in (runs, cache, Path.cwd(), Path.home()):
        assert f"{place}/" not in written
        assert f"{place}<" not in written


def test_a_reader_that_does_not_see_it_is_told(page: Element) -> None:
    drawn = page.all("svg")
    assert len(drawn) >= 10
    seen: set[str] = set()
    for svg in drawn:
        (title,), (told,) = svg.all("title"), svg.all("desc")
        names = [title.attributes["id"], told.attributes["id"]]
        assert (svg.attributes["aria-labelledby"] or "").split() == names
        assert title.text
        assert re.search(r"\d", told.text)
        assert not seen & set(names)
        seen |= {name for name in names if name}
    for each in page.all("table"):
        heads = each.all("th")
        assert {head.attributes.get("scope") for head in heads} == {"col", "row"}
        assert each.all("caption")
    for each in page.all("div"):
        if each.has("wide"):
            assert each.attributes["tabindex"] == "0"
    assert len([d for d in page.all("div") if d.has("wide")]) == len(page.all("table"))


def test_every_run_is_there_with_its_exact_spec(page: Element, runs: Path) -> None:
    (specs,) = [s for s in page.all("section") if s.attributes["id"] == "specs"]
    folded = specs.all("details")
    assert len(folded) == 2
    told = specs.whole()
    for folder in runs.glob("*-*"):
        assert folder.name in told
        digest = json.loads((folder / "spec.json").read_text("utf-8"))["keys"]["spec"]
        assert digest[:12] in told
    texts = [folder.joinpath("model.lego").read_text("utf-8") for folder in runs.glob("*-*")]
    for each in folded:
        (pre,) = each.all("pre")
        assert pre.text in texts
        assert "differs in train.seed 2" in each.whole()
        assert "differs in train.seed 3" in each.whole()


def test_every_figure_is_that_of_the_table(
    page: Element, spec: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("table", spec, "--runs", runs, "--format", "csv", "--no-baselines", "-q") == 0
    expected = {row["model"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    found = page.all("table")[0]
    titles = [head.text for head in found.all("thead")[0].all("th")]
    metrics = [title.split()[0] for title in titles[2:8]]
    assert metrics == ["GAUC", "NDCG(5)", "AUC", "LogLoss", "F1(0.5)", "ECE(15)"]
    shown = {row[0]: dict(zip(titles, row, strict=True)) for row in rows_of(found)}
    assert set(expected) < set(shown)
    for name, row in expected.items():
        for metric, title in zip(metrics, titles[2:8], strict=True):
            numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", shown[name][title])]
            wanted = [row[metric], row[f"{metric} deviation"], row[f"{metric} low"],
                      row[f"{metric} high"]]  # fmt: skip
            assert numbers == [round(float(value), 4) for value in wanted if value]
        assert shown[name]["seeds"] == "3"
        assert int(shown[name]["parameters"].replace(",", "")) == int(row["parameters"])
    marked = {name: row for name, row in shown.items() if "†" in "".join(row.values())}
    assert set(marked) == {"text", "ids"}
    assert "†" not in marked["text"]["GAUC ↑"]
    assert "†" in marked["text"]["LogLoss ↓"]
    assert "are no probabilities" in page.whole()


def test_free_baselines_are_rows_of_their_own(page: Element, runs: Path) -> None:
    metrics = json.loads((next(runs.glob("text-*")) / "metrics.json").read_text("utf-8"))
    told = metrics["test"]["baselines"]
    free = [row for row in page.all("table")[0].all("tr") if row.has("free")]
    assert len(free) == len(told) > 3
    for row in free:
        name, seeds, *figures = [cell.whole() for cell in row.inside]
        assert seeds == "-"
        values = list(told[name]["metrics"].values())
        wanted = ["-" if value is None else f"{value:.4f}" for value in values]
        assert figures[: len(wanted)] == wanted
        assert set(figures[len(wanted) :]) == {"-"}


def test_the_sentences_are_those_of_compare(
    page: Element, spec: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", spec, "--runs", runs, "--json", "-q") == 0
    said = json.loads(capsys.readouterr().out)
    (short,) = [s for s in page.all("section") if s.attributes["id"] == "summary"]
    lines = [" ".join(item.whole().split()) for item in short.all("li")]
    for each in said["comparisons"]:
        # Text of an element comes before that of the ones in it.
        assert f"{each['verdict']} {each['metric']}:" in lines
    for name in ("text", "ids"):
        (line,) = [line for line in lines if re.match(rf"{name} (does not beat|beats)", line)]
        assert "free baseline" in line


def test_without_baselines(runs: Path, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "bare.html"
    folders = sorted(runs.glob("*-*"))[:4]
    assert report(*folders, "-o", out, "--no-baselines", cache=cache) == 0
    found = read_page(out.read_text("utf-8"))
    assert not [row for row in found.all("tr") if row.has("free")]
    assert "Popularity" not in found.whole()
    assert "free baseline" not in found.whole()


def test_one_run_alone_is_a_page_too(runs: Path, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.html"
    folder = next(runs.glob("text-*"))
    assert report(folder, "-o", out, "--metric", "AUC", cache=cache) == 0
    found = read_page(out.read_text("utf-8"))
    assert "nothing to compare it with" in found.whole()
    assert "trained once" in found.whole()
    assert [s.attributes["id"] for s in found.all("section")][:2] == ["summary", "figures"]
    assert folder.name in found.whole()


def test_few_groups_are_warned_of(runs: Path, cache: Path, tmp_path: Path) -> None:
    """Twenty groups of a validation part, which training did not measure apart."""
    copies = []
    for name in ("text-*", "ids-*"):
        folder = sorted(runs.glob(name))[0]
        copies.append(shutil.copytree(folder, tmp_path / "few" / folder.name))
        assert run("eval", copies[-1], "--scores", "--split", "valid", "--cache", cache, "-q") == 0
    out = tmp_path / "few.html"
    assert report(*copies, "--split", "valid", "-o", out, cache=cache) == 0
    found = read_page(out.read_text("utf-8"))
    warned = [item for each in found.all("ul") if each.has("warnings") for item in each.all("li")]
    assert any("users are few" in item.whole() for item in warned)
    assert "measured on valid" in found.whole()
    # metrics.json is of the test part: no slices and no baselines are told of this one.
    assert not [s for s in found.all("section") if s.attributes["id"] == "slices"]


def test_a_name_cannot_write_into_the_page(runs: Path, cache: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(next(runs.glob("text-*")), tmp_path / "text-<b>&")
    out = tmp_path / "odd.html"
    assert report(folder, "-o", out, cache=cache) == 0
    text = out.read_text("utf-8")
    assert "<b>&<" not in text
    assert "text-<b>&" in read_page(text).whole()
    cells = table("<i>", ["a"], [[plain("<script>&\"'")]])
    assert "<script" not in cells
    assert read_page(cells).all("th")[1].text == "<script>&\"'"
    assert said("`<b>` of `x`") == "<code>&lt;b&gt;</code> of <code>x</code>"


def test_what_cannot_be_said_is_one_message(
    runs: Path, cache: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = next(runs.glob("text-*"))
    bare = shutil.copytree(folder, tmp_path / folder.name)
    (bare / "groups.parquet").unlink()
    out = tmp_path / "none.html"
    assert report(bare, "-o", out, cache=cache) == 1
    assert "E0595" in capsys.readouterr().err
    assert report(folder, folder, "-o", tmp_path / "no" / "page.html", cache=cache) == 1
    assert "E0905" in capsys.readouterr().err
    assert report(folder, "--metric", "MRR", "-o", out, cache=cache) == 1
    assert "E0598" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert report(folder, "-o", out, cache=cache) == 1
    told = capsys.readouterr().err
    assert "E0589" in told
    assert "pip install 'legoc[report]'" in told
    assert not out.exists()


def test_a_page_that_breaks_off_leaves_the_old_one(
    runs: Path, cache: Path, tmp_path: Path, monkeypatch
) -> None:
    import vl_convert

    out = tmp_path / "kept.html"
    out.write_text("the old one", encoding="utf-8")
    drawn: list[object] = []

    def stop(chart: object) -> str:
        drawn.append(chart)
        raise KeyboardInterrupt

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(report(next(runs.glob("text-*")), "-o", out, cache=cache))
    assert drawn
    assert out.read_text("utf-8") == "the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.html"]
