"""kWh, kg CO2e and AUC per carbon in tables, and figures of others beside ours: by hand."""

import csv
import io
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from legoc.experiments.electricity import apc, find_electricity, write
from legoc.experiments.folders import list_folders
from legoc.experiments.published import published_columns, read_published
from legoc.language.diagnosing.diagnostics import LegoError
from tests.experiments.test_table import verify_latex
from tests.product.conftest import run


def record(kwh, how="estimated", by="12 W per core at work", intensity=475.0, source="the world"):
    return {"kwh": kwh, "how": how, "by": by, "intensity": intensity, "source": source,
            "kg_co2e": kwh * intensity / 1000}  # fmt: skip


class System:
    """A name, an AUC by metric, and what each of its trainings has recorded."""

    def __init__(self, place, name, records, figures):
        self.name, self.figures, self.metrics = name, figures, list(figures)
        self.results = []
        for number, each in enumerate(records):
            folder = place / f"{name}-{number}"
            folder.mkdir(parents=True)
            (folder / "cost.json").write_text(json.dumps({"cpu": 1.0, "energy": each}))
            self.results.append(SimpleNamespace(run=SimpleNamespace(folder=folder)))

    def measure(self, metric):
        return SimpleNamespace(figure=self.figures[metric])


def texts(found):
    return {column.title: dict(column.texts) for column in found.columns}


def test_the_formula_is_that_of_the_paper():
    # 62 % AUC is 12 points above chance; of 0.0057 kg that is 12 / 0.0057 x 100.
    assert apc(0.62, 0.0057) == pytest.approx(12 / 0.0057 * 100)
    assert apc(0.48, 2.0) == pytest.approx(-100)
    assert np.isnan(apc(0.62, 0.0))


def test_every_figure_has_its_mark(tmp_path):
    auc = {"GAUC": 0.62, "AUC": 0.9}
    systems = [
        System(tmp_path, "one", [record(0.010), record(0.014)], auc),
        System(tmp_path, "low", [record(2.0)], {"GAUC": 0.4, "AUC": 0.4}),
    ]
    found = find_electricity(systems)
    assert texts(found) == {
        "kWh of training": {"one": "0.0120 estimated", "low": "2.00 estimated"},
        "kg CO2e": {"one": "0.00570 estimated", "low": "0.950 estimated"},
        # (62 - 50) / 0.0057 x 100, of the mean over seeds and by GAUC; (40 - 50) / 0.95 x 100.
        "ApC per kg": {"one": "211,000 estimated", "low": "-1,050 estimated"},
    }
    assert "ApC per kg: (GAUC in percent - 50) / kg CO2e x 100" in found.notes
    assert "kg CO2e: 475 g per kWh (the world)" in found.notes
    assert "estimated: 12 W per core at work" in found.notes
    assert any(note.startswith("kWh of one training: processor and GPU") for note in found.notes)
    assert found.warnings == ()


def test_another_intensity_counts_all_rows_anew(tmp_path):
    systems = [
        System(tmp_path, "here", [record(1.0, intensity=475.0)], {"AUC": 0.75}),
        System(tmp_path, "there", [record(1.0, intensity=56.0)], {"AUC": 0.75}),
    ]
    with pytest.raises(LegoError) as raised:
        find_electricity(systems)
    (told,) = raised.value.diagnostics
    assert told.code == "E0586"
    assert told.message == "these runs count with 475 and 56 grams of CO2e per kWh"
    found = texts(find_electricity(systems, 100.0))
    assert found["kg CO2e"] == {"here": "0.100 estimated", "there": "0.100 estimated"}
    assert found["ApC per kg"]["here"] == "25,000 estimated"
    assert "kg CO2e: 100 g per kWh (as given)" in find_electricity(systems, 100.0).notes


def test_measured_and_estimated_never_stand_together_unsaid(tmp_path):
    measured = record(0.02, "measured", "codecarbon 3.3.2")
    systems = [
        System(tmp_path, "meter", [measured], {"AUC": 0.6}),
        System(tmp_path, "both", [measured, record(0.04)], {"AUC": 0.6}),
        System(tmp_path, "old", [None], {"AUC": 0.6}),
    ]
    found = find_electricity(systems)
    assert texts(found)["kWh of training"] == {
        "meter": "0.0200 measured", "both": "0.0300 partly measured",
    }  # fmt: skip
    assert "are not known in one way" in found.warnings[0].replace("is not", "are not")
    # Two constants are two ways as well.
    other = [System(tmp_path, "a", [record(1.0)], {}),
             System(tmp_path, "b", [record(1.0, by="20 W per core at work")], {})]  # fmt: skip
    found = find_electricity(other)
    assert found.warnings
    assert list(texts(found)) == ["kWh of training", "kg CO2e"]
    assert "no ApC: neither GAUC nor AUC is measured of all rows" in found.notes


def test_runs_of_before_have_no_columns(tmp_path):
    found = find_electricity([System(tmp_path, "old", [None], {"AUC": 0.6})])
    assert found.columns == ()
    assert "`legoc train --again` records it" in found.warnings[0]


@pytest.mark.parametrize(
    ("figure", "text"),
    [(0.0, "0"), (1.234e-7, "1.23e-07"), (0.00012345, "0.000123"), (0.012, "0.0120"),
     (1.0, "1.00"), (98.76, "98.8"), (-1234.0, "-1,230"), (210526.3, "211,000"),
     (99.96, "100"), (999.9, "1,000")],
)  # fmt: skip
def test_three_digits_count(figure, text):
    assert write(figure) == text


def test_the_table_shows_them_when_asked(runs, spec, tmp_path, capsys):
    words = ("table", spec, "--runs", runs)
    assert run(*words) == 0
    assert "kWh" not in capsys.readouterr().out
    assert run(*words, "--energy", "--format", "csv") == 0
    rows = {r["model"]: r for r in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    folders = [one.folder for one in list_folders(runs) if one.point.startswith("text")]
    cpu = np.mean([json.loads((f / "cost.json").read_text())["cpu"] for f in folders])
    kwh = float(rows["text"]["kwh"])
    assert kwh == pytest.approx(cpu * 12 / 3.6e6, rel=0.05)
    assert float(rows["text"]["kg_co2e"]) == pytest.approx(kwh * 0.475)
    points = 100 * float(rows["text"]["GAUC"]) - 50
    assert float(rows["text"]["apc_per_kg"]) == pytest.approx(points / (kwh * 0.475) * 100)
    assert rows["text"]["energy"] == rows["ids"]["energy"] == "estimated"
    for ending in ("tex", "md", "txt"):
        assert run(*words, "--energy", "-o", tmp_path / f"t.{ending}") == 0
        text = (tmp_path / f"t.{ending}").read_text("utf-8")
        # Three figures of each row.
        assert text.count(" estimated") >= 6
        assert "475 g per kWh" in text
    verify_latex((tmp_path / "t.tex").read_text("utf-8"))


def test_runs_that_recorded_nothing_are_warned_of(runs, tmp_path, capsys):
    folder = tmp_path / "runs" / "ids-0123456789ab"
    shutil.copytree(next(runs.glob("ids-*")), folder)
    cost = json.loads((folder / "cost.json").read_text())
    del cost["energy"]
    (folder / "cost.json").write_text(json.dumps(cost))
    assert run("table", folder, "--runs", folder.parent, "--energy") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no run here has recorded its electricity" in said
    assert "kWh" not in said


def test_published_figures_stand_beside_ours(runs, spec, tmp_path, capsys):
    file = tmp_path / "paper.csv"
    file.write_text(
        "# Percent is a share here.\nrow,metric,value\ntext,GAUC,0.6543\nids,CO2E,19\n"
        "elsewhere,GAUC,0.7\n", encoding="utf-8",
    )  # fmt: skip
    words = ("table", spec, "--runs", runs, "--published", file)
    assert run(*words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "0.6543" in said
    assert "published: 2 of the 3 rows of paper.csv are here" in said
    assert run(*words, "--format", "csv") == 0
    rows = {r["model"]: r for r in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert (rows["text"]["GAUC published"], rows["text"]["CO2E published"]) == ("0.6543", "")
    assert (rows["ids"]["GAUC published"], rows["ids"]["CO2E published"]) == ("", "19.0")
    # One metric of the table, and those that it has not.
    assert run(*words, "--metric", "AUC", "--format", "markdown") == 0
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("|")]
    assert lines[0].endswith("| GAUC published | CO2E published |")
    assert lines[2].endswith("| 0.6543 | - |")
    assert lines[3].endswith("| - | 19 |")


def test_the_page_has_them_too(runs, spec, tmp_path):
    pytest.importorskip("altair")
    file = tmp_path / "paper.csv"
    file.write_text("row,metric,value\ntext,GAUC,0.6543\n", encoding="utf-8")
    page = tmp_path / "page.html"
    words = ("report", spec, "--runs", runs, "--published", file, "-o", page, "-q")
    assert run(*words) == 0
    text = page.read_text("utf-8")
    assert "GAUC published" in text
    assert ">0.6543<" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("row,GAUC\nnaml,0.6\n", "does not begin with the columns `row,metric,value`"),
        ("", "does not begin with the columns"),
        ("# all\n\nrow,metric,value\nnaml,GAUC,61,75\n", "has 4 cells in line 4, not 3"),
        ("row,metric,value\nnaml,GAUC,61.75 %\n", "has no number in line 2: `61.75 %`"),
        ("row,metric,value\nnaml,GAUC,nan\n", "has no number in line 2: `nan`"),
        ("row,metric,value\na,GAUC,1\n\na,GAUC,2\n", "has the GAUC of a again in line 4"),
    ],
)
def test_what_is_no_such_file_is_refused_by_line(text, told, tmp_path, runs, spec, capsys):
    file = tmp_path / "paper.csv"
    file.write_text(text, encoding="utf-8")
    assert run("table", spec, "--runs", runs, "--published", file) == 1
    said = capsys.readouterr().err
    assert "E0587" in said
    assert told in said
    assert run("table", spec, "--runs", runs, "--published", tmp_path / "none.csv") == 1
    assert "No such file" in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "paper.csv"
    file.write_bytes(b"row,metric,value\na\xff,GAUC,1\n")
    with pytest.raises(LegoError, match="no text in UTF-8"):
        read_published(file)
    # What spreadsheets write begins with a mark of the order of bytes.
    file.write_bytes(b"\xef\xbb\xbfrow,metric,value\r\na,GAUC,1\r\n")
    columns, note = published_columns(read_published(file), ["GAUC"], ["b"])
    assert (columns, note) == ([], "published: 0 of the 1 rows of paper.csv are here")
