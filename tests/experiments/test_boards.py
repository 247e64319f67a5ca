"""Runs of several data sets: a board of one metric, a table for each set, cells that say why they
are empty, and published figures by data set."""

import csv
import io
import json
import re
import shutil

import pytest

from legoc.experiments.absent import Absent, list_absent
from legoc.experiments.latency import sample_seconds, saved_share
from legoc.experiments.naming import axes_of, chosen_on, without_axis
from tests.product.conftest import run


SPEC = """
data small {
  source = Demo(items=200, users=60, impressions=150)
  content = [title(8)]
  history = 8
}
data other = small(source=Demo(items=220, users=60, impressions=150))
data gone = small(source=MIND("nowhere"))
train quick {
  epochs = 1
  samples = 64
  metrics = [GAUC, NDCG(5)]
}
model text = content CNN(hidden=8) -> behavior Additive(dim=8) -> predict in [Dot, Cosine]
model ids = content Null(hidden=8) -> behavior Additive(dim=8) -> predict Dot
run text, ids on small, other, gone with quick
"""
PUBLISHED = """# From a paper.
data,row,metric,value
small,text[predict=Dot],GAUC,0.7
gone,text[predict=Dot],GAUC,0.8
other,text[predict=Dot],GAUC,0.9
gone,Theirs,GAUC,0.6
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, cache):
    """Two models on one data set, one of them on another, and nothing on a third."""
    folder = tmp_path_factory.mktemp("boards")
    (folder / "three.lego").write_text(SPEC, "utf-8")
    (folder / "published.csv").write_text(PUBLISHED, "utf-8")
    for only in ("data=small,model=text", "data=other,model=text,predict=Dot"):
        given = ("--only", only, "--runs", folder / "runs", "--cache", cache, "--no-baselines")
        assert run("train", folder / "three.lego", *given, "-q") == 0
    return folder


def table(place, capsys, *words, code=0):
    capsys.readouterr()
    given = ("--runs", place / "runs", "--no-baselines", "-q")
    assert run("table", place / "three.lego", *given, *words) == code
    return capsys.readouterr()


def rows(text):
    return {(row["data"], row["model"]): row for row in csv.DictReader(io.StringIO(text))}


def figures(place, capsys, data):
    """Those that `legoc table` says of one data set alone."""
    text = table(place, capsys, "--only", f"data={data}", "--format", "csv").out
    return {row["model"]: row for row in csv.DictReader(io.StringIO(text))}


def test_every_cell_has_its_figure_or_a_reason(place, capsys):
    beside = ("--published", place / "published.csv")
    found = rows(table(place, capsys, *beside, "--format", "csv").out)
    assert len(found) == 3 * 3 + 1
    for data, models in (("small", ("Dot", "Cosine")), ("other", ("Dot",))):
        alone = figures(place, capsys, data)
        for predict in models:
            row = found[data, f"text[predict={predict}]"]
            own = alone[f"text[data={data}, predict={predict}]"]
            for title in ("GAUC", "GAUC low", "GAUC high", "NDCG(5)"):
                assert row[title] == own[title] != ""
            assert row["why"] == ""
    assert found["other", "text[predict=Cosine]"]["GAUC"] == ""
    assert "no run" in found["other", "text[predict=Cosine]"]["why"]
    assert "no run" in found["small", "ids"]["why"]
    assert 'nowhere") is not on this machine' in found["gone", "ids"]["why"]
    told = {key: row["GAUC published"] for key, row in found.items() if row["GAUC published"]}
    assert told == {
        ("small", "text[predict=Dot]"): "0.7", ("other", "text[predict=Dot]"): "0.9",
        ("gone", "text[predict=Dot]"): "0.8", ("gone", "Theirs"): "0.6",
    }  # fmt: skip
    assert found["gone", "Theirs"]["why"] == "published alone"


def test_the_board_stands_above_the_tables(place, capsys):
    beside = ("--published", place / "published.csv")
    said = table(place, capsys, *beside, "--intervals", "--format", "markdown").out
    titles = re.findall(r"^## (.*)$", said, re.M)
    assert titles == ["GAUC by data set", "small", "other"]
    board = said.split("## small")[0]
    lines = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in board.splitlines() if line.startswith("|")
    ]  # fmt: skip
    assert lines[0] == ["model", "small ↑", "other ↑", "gone ↑", "mean"]
    by_name = {line[0]: line[1:] for line in lines[2:]}
    assert by_name["text[predict=Dot], published"] == ["0.7000", "0.9000", "0.8000", "0.8000"]
    assert by_name["Theirs, published"] == ["-", "-", "0.6000", "-"]
    assert by_name["ids"] == ["-"] * 4
    one, _, none, mean = by_name["text[predict=Dot]"]
    assert re.fullmatch(r"\**0\.\d{4}\** \[.*\]|\**0\.\d{4} \[.*\]\**", one)
    assert (none, mean) == ("-", "-")
    assert "every row on gone: MIND" in board
    assert "text[predict=Cosine], ids on other; ids on small: no run" in board
    text = table(place, capsys, *beside).out
    assert text.index("GAUC by data set") < text.index("small, test") < text.index("other, test")
    latex = table(place, capsys, *beside, "--format", "latex").out
    assert latex.count(r"\begin{tabular}") == 3
    file = place / "board.txt"
    assert table(place, capsys, *beside, "-o", file).out == ""
    assert "GAUC by data set" in file.read_text("utf-8")


def test_the_metric_of_the_board_is_the_first_that_was_asked_for(place, capsys):
    said = table(place, capsys, "--metric", "NDCG(5)", "--format", "markdown").out
    assert "## NDCG(5) by data set" in said
    assert "GAUC" not in said
    assert "E0598" in table(place, capsys, "--metric", "MRR", code=1).err


def test_runs_by_their_folders_stand_in_blocks_too(place, capsys):
    index = json.loads((place / "runs" / "index.json").read_text("utf-8"))
    found = [place / "runs" / index[f"text[data={d}, predict=Dot]"] for d in ("small", "other")]
    assert run("table", *found, "--no-baselines", "--format", "csv") == 0
    assert set(rows(capsys.readouterr().out)) == {
        ("small", "text[predict=Dot]"), ("other", "text[predict=Dot]")
    }  # fmt: skip
    # What differs otherwise than in its source still does not stand in one table.
    assert run("compare", *found) == 1
    assert "E0596" in capsys.readouterr().err


def test_sources_of_the_same_rows_stay_in_one_table(place, tmp_path, capsys):
    """As a source that translates the items of another; here one that only says so."""
    copy = tmp_path / "again"
    shutil.copytree(place, copy)
    index = json.loads((copy / "runs" / "index.json").read_text("utf-8"))
    one, other = (
        copy / "runs" / index[f"text[data=small, predict={p}]"] for p in ("Dot", "Cosine")
    )
    stored = json.loads((other / "spec.json").read_text("utf-8"))
    stored["data"]["source"]["args"]["seed"] = 99
    (other / "spec.json").write_text(json.dumps(stored), encoding="utf-8")
    assert run("table", one, other, "--no-baselines", "--format", "csv") == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["model"] for row in found] == [
        "text[data=small, predict=Dot]", "text[data=small, predict=Cosine]"
    ]  # fmt: skip


def test_a_run_that_was_not_measured_is_an_empty_cell(place, tmp_path, capsys):
    copy = tmp_path / "again"
    shutil.copytree(place, copy)
    index = json.loads((copy / "runs" / "index.json").read_text("utf-8"))
    folder = copy / "runs" / index["text[data=small, predict=Cosine]"]
    (folder / "groups.parquet").unlink()
    found = rows(table(copy, capsys, "--format", "csv").out)
    why = found["small", "text[predict=Cosine]"]["why"]
    assert why.startswith("not measured")
    assert "legoc eval" in why
    # Of one data set alone it is an error, as ever.
    assert "E0595" in table(copy, capsys, "--only", "data=small", code=1).err


def test_parts_of_one_data_set_are_no_data_sets(place, tmp_path, cache, capsys):
    file = tmp_path / "split.lego"
    file.write_text(
        SPEC.replace("data gone", "data cut = small(split=user)\ndata gone")
        .replace("on small, other, gone", "on small, cut"), "utf-8",
    )  # fmt: skip
    words = ("--only", "model=text,predict=Dot", "--runs", tmp_path / "runs")
    assert run("train", file, *words, "--cache", cache, "--no-baselines", "-q") == 0
    capsys.readouterr()
    assert run("table", file, *words) == 1
    assert "E0596" in capsys.readouterr().err


def test_the_page_has_the_board_and_every_data_set(place, cache, tmp_path, capsys):
    out = tmp_path / "page.html"
    words = ("--published", place / "published.csv", "--cache", cache, "--no-baselines", "-q")
    assert run("report", place / "three.lego", "--runs", place / "runs", *words, "-o", out) == 0
    page = out.read_text("utf-8")
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert {"leaderboard", "data1-figures", "data2-figures"} <= {*names}
    used = re.findall(r'(?:url\(|href=")#([^")]+)', page)
    for each in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', page):
        used += each.split()
    assert {*used} <= {*names}
    assert "text[predict=Dot], published" in page
    assert "ms per sample" in page


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("m", []),
        ("m[data=cds]", ["data=cds"]),
        ('m[data=cds, lm="a,b/[c]", k=CNN(h=1, w=[2, 3])]',
         ["data=cds", 'lm="a,b/[c]"', "k=CNN(h=1, w=[2, 3])"]),
    ],
)  # fmt: skip
def test_the_axes_of_a_name(name, axes):
    assert axes_of(name) == ("m", axes)
    assert chosen_on(name, "data") == ("cds" if axes else None)
    kept = ", ".join(axes[1:])
    assert without_axis(name, "data") == (f"m[{kept}]" if kept else "m")


def test_reasons_are_told_once():
    absent = [Absent(name=n, data=d, why="no") for d in ("a", "b") for n in "uvwxyz"]
    assert list_absent(absent, "uvwxyz") == ["empty: every row on a, b: no"]
    assert list_absent(absent, "uvwxyzt") == ["empty: u, v, w, x and 2 more on a, b: no"]


def test_what_reuse_saved_is_by_the_time_of_a_history():
    def phase(seconds, rows):
        return {"seconds": seconds, "cpu": seconds, "rows": rows}

    timings = {"items": phase(1.0, 9), "users": phase(2.0, 4), "pairs": phase(3.0, 40)}
    report = {"timings": timings, "counts": {"rows": 40}}
    # Each history takes half a second: forty of them twenty, beside the other four.
    assert saved_share(report, prefix=False) == pytest.approx(1 - 6 / 24)
    assert sample_seconds(report) == pytest.approx(6 / 40)
    # Prefixes are read while pairs are scored; an older report did not part them.
    assert saved_share(report, prefix=True) is None
    timings["prefixes"] = phase(4.0, 4)
    assert saved_share(report, prefix=True) == pytest.approx(1 - 10 / (10 + 36))
