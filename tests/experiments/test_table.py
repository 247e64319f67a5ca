"""`legoc table`: marks only where the difference is real, and every form has the same figures."""

import csv
import io
import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.evaluation.comparison import Interval
from legoc.evaluation.measured import combine
from legoc.experiments.folders import list_folders
from legoc.experiments.free import find_free
from legoc.experiments.table import Cell, Cost, Row, Table, decisive, mark, ranked
from legoc.experiments.table_forms import escape, write_csv, write_latex, write_markdown
from legoc.language.ir.spec import Call
from tests.product.conftest import run


class Stub:
    """A system whose metric has given values by cluster."""

    def __init__(self, name, values, better="higher"):
        self.name, self.metrics = name, ["M"]
        self.results = ()
        self.made = combine([(np.asarray(values, float), np.ones(len(values)))], better)

    def measure(self, metric):
        return self.made


def marks(systems):
    from legoc.experiments.contrast import contrast

    found = {place: system.measure("M") for place, system in enumerate(systems)}
    plan = [("M", decisive(found))]
    return mark(systems, found, contrast(systems, plan))


def test_marks_are_given_where_the_difference_is_real():
    rng = np.random.default_rng(0)
    base = rng.normal(size=300)
    near = lambda shift: base + shift + rng.normal(0, 0.3, 300)  # noqa: E731
    systems = [Stub("low", near(0)), Stub("high", near(1.0)), Stub("middle", near(0.5))]
    assert marks(systems) == {1: "best", 2: "second"}
    # Where the two best cannot be told apart nothing is marked; the third is no runner-up.
    systems = [Stub("low", near(0)), Stub("one", near(1.0)), Stub("other", near(1.0))]
    assert marks(systems) == {}
    # The best is real, who comes behind is not.
    systems = [Stub("low", near(0)), Stub("high", near(1.0)), Stub("like low", near(0.0))]
    assert marks(systems) == {1: "best"}
    # Two systems have no runner-up: it is better than nobody.
    assert marks(systems[:2]) == {1: "best"}
    lower = [Stub("low", near(0), "lower"), Stub("high", near(1.0), "lower")]
    assert marks(lower) == {0: "best"}
    assert marks(systems[:1]) == {}


def test_a_system_without_a_figure_is_ranked_nowhere():
    found = {0: Stub("a", [0.1, 0.2]).made, 1: combine([(np.zeros(2), np.zeros(2))], "higher")}
    assert ranked(found) == [0]
    assert decisive(found) == []


def cell(figure, mark="", deviation=None):
    return Cell(figure=figure, deviation=deviation, mark=mark,
                interval=Interval(low=figure - 0.1, high=figure + 0.1))  # fmt: skip


STRANGE = r"a_b & 50% {x|y} #1 $2 ~^\ <*>"
TABLE = Table(
    part="test", group="impression", groups=1234, users=56,
    better={"GAUC": "higher", "F1(0.5)": "lower"}, comparisons=2, warnings=(),
    rows=(
        Row(name=STRANGE, seeds=3, cost=Cost(parameters=1234, cpu=5.25, memory=None), cells={
            "GAUC": cell(0.75, "best", 0.01), "F1(0.5)": cell(0.5, "", 0.02),
        }),
        Row(name="plain", seeds=1, cost=Cost(parameters=None, cpu=None, memory=None), cells={
            "GAUC": cell(0.5, "second"), "F1(0.5)": cell(float("nan")),
        }),
        Row(name="lacking", seeds=1, cost=Cost(parameters=7, cpu=1, memory=None), cells={
            "GAUC": cell(0.25),
        }),
    ),
)  # fmt: skip


def verify_latex(text):
    """What LaTeX would stop at: open braces, rows of another width, bare signs of its own."""
    body = re.search(r"\\begin\{tabular\}\{(\w+)\}\n(.*)\\end\{tabular\}\n$", text, re.S)
    width = len(body[1])
    lines = [line for line in body[2].splitlines() if not line.startswith("\\") or "&" in line]
    rules = [line for line in body[2].splitlines() if line not in lines]
    assert rules == ["\\toprule", "\\midrule", "\\bottomrule"]
    for line in lines:
        assert line.endswith(r" \\")
        line = line.removesuffix(r" \\")
        bare = re.sub(r"\\[&%$#_{}]", "", line)
        assert bare.count("&") == width - 1
        depth = 0
        for letter in bare:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            assert depth >= 0
        assert depth == 0
        assert bare.count("$") % 2 == 0
        assert not set(bare) & set("%#_~")
        assert not re.search(r"[\^<>|]", bare)
        known = {r"\textbf", r"\underline", r"\pm", r"\uparrow", r"\downarrow", *(
            f"\\text{name}" for name in (
                "backslash", "asciitilde", "asciicircum", "less", "greater", "bar", "dagger")
        )}  # fmt: skip
        assert set(re.findall(r"\\[a-z]+", bare)) <= known
    assert all(line.startswith("%") for line in text[: body.start()].splitlines())
    assert text.isascii()
    return lines


def test_latex_is_whole_and_escaped():
    lines = verify_latex(write_latex(TABLE, intervals=True))
    assert lines[0].startswith(r"model & seeds & GAUC $\uparrow$ & F1(0.5) $\downarrow$")
    assert r"\textbf{0.7500 $\pm$ 0.0100 [0.6500, 0.8500]}" in lines[1]
    assert r"\underline{0.5000 [0.4000, 0.6000]} & --" in lines[2]
    assert escape("a_b") == r"a\_b"
    assert "1,234 & 5.2" in lines[1]
    assert lines[2].removesuffix(r" \\").endswith("& -- & --")


def test_latex_compiles(tmp_path):
    latex = shutil.which("pdflatex") or pytest.skip("no LaTeX here")
    text = write_latex(TABLE, intervals=True)
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    (tmp_path / "t.tex").write_text(f"{head}{text}\\end{{document}}")
    subprocess.run([latex, "-halt-on-error", "t.tex"], cwd=tmp_path, check=True)


def test_markdown_has_a_column_for_each_title():
    lines = [x for x in write_markdown(TABLE, intervals=False).splitlines() if x.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}
    assert "**0.7500 ± 0.0100**" in lines[2]
    assert "*0.5000*" in lines[3]


def test_csv_has_every_digit():
    rows = list(csv.DictReader(io.StringIO(write_csv(TABLE))))
    assert rows[0]["model"] == STRANGE
    assert float(rows[0]["GAUC"]) == 0.75
    assert float(rows[0]["GAUC low"]) == 0.75 - 0.1
    assert rows[0]["GAUC mark"] == "best"
    assert rows[1]["F1(0.5)"] == rows[2]["F1(0.5)"] == ""
    assert rows[0]["memory_bytes"] == ""


def test_runs_of_a_file_become_a_table(runs, spec, tmp_path, capsys):
    words = ("table", spec, "--runs", runs)
    assert run(*words) == 0
    said = capsys.readouterr().out
    assert "GAUC ↑" in said
    assert "LogLoss ↓" in said
    assert said.index("GAUC") < said.index("NDCG(5)") < said.index("LogLoss")
    for ending, begins in ((".tex", "% \\usepackage"), (".md", "| model"), (".csv", "model,")):
        assert run(*words, "-o", tmp_path / f"t{ending}", "--intervals") == 0
        assert (tmp_path / f"t{ending}").read_text("utf-8").startswith(begins)
    verify_latex((tmp_path / "t.tex").read_text("utf-8"))
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    folders = [one.folder for one in list_folders(runs) if one.point.startswith("text")]
    metrics = [json.loads((f / "metrics.json").read_text())["test"] for f in folders]
    figures = [each["metrics"]["GAUC"] for each in metrics]
    assert float(rows["text"]["GAUC"]) == pytest.approx(np.mean(figures))
    assert float(rows["text"]["GAUC deviation"]) == pytest.approx(np.std(figures, ddof=1))
    errors = [each["metrics"]["ECE(15)"] for each in metrics]
    assert float(rows["text"]["ECE(15)"]) == pytest.approx(np.mean(errors))
    assert rows["text"]["ECE(15) low"] == rows["text"]["ECE(15) mark"] == ""
    assert float(rows["text"]["GAUC low"]) < np.mean(figures) < float(rows["text"]["GAUC high"])
    assert int(rows["text"]["groups"]) == metrics[0]["groups"]["all"]
    costs = [json.loads((f / "cost.json").read_text()) for f in folders]
    assert int(rows["text"]["parameters"]) == costs[0]["parameters"]
    assert float(rows["text"]["cpu_seconds"]) == pytest.approx(np.mean([c["cpu"] for c in costs]))


def test_one_run_is_a_table_too(runs, capsys, tmp_path):
    assert run("table", "ids[seed=1]", "--runs", runs, "--format", "latex") == 0
    verify_latex(capsys.readouterr().out)
    assert run("table", "ids[seed=1]", "--runs", runs, "-o", tmp_path / "no" / "t.tex") == 1
    assert "E0905" in capsys.readouterr().err


def test_a_table_of_all_rows_together_tells_of_no_users_or_intervals(runs, capsys):
    words = ("text[seed=1]", "ids[seed=1]", "--runs", runs)
    assert run("table", *words, "--metric", "ECE(15)") == 0
    said = capsys.readouterr()
    users = len(
        set(pq.read_table(next(runs.glob("text-*")) / "groups.parquet")["user"].to_pylist())
    )
    assert f"test: {groups_of(runs)} impressions of {users} users" in said.out
    for word in ("are few", "trained once", "interval", "Holm", "best and runner-up"):
        assert word not in said.out + said.err
    assert run("table", *words) == 0
    assert "trained once: text, ids" in capsys.readouterr().out


def groups_of(runs):
    return pq.read_metadata(next(runs.glob("text-*")) / "groups.parquet").num_rows


def test_a_metric_that_nobody_measured_is_named_with_what_there_is(runs, capsys):
    words = ("table", "text[seed=1]", "--runs", runs)
    for metric, told in (
        (
            "MRR",
            "with `--set 'train.metrics=[GAUC, NDCG(5), AUC, LogLoss, F1(0.5), ECE(15), MRR]'`",
        ),
        ("ECE(5)", "did you mean `ECE(15)`?"),
        ("NDCG", "did you mean `NDCG(5)`?"),
    ):
        assert run(*words, "--metric", "ECE(15)", "--metric", metric) == 1
        said = capsys.readouterr().err
        assert f"E0598]: `{metric}` was not measured in" in said
        assert told in said
        assert "GAUC, NDCG(5), AUC, LogLoss, F1(0.5), ECE(15)" in said


def test_a_metric_is_asked_for_as_a_recipe_writes_it(runs, capsys):
    words = ("table", "text[seed=1]", "--runs", runs, "--format", "csv", "--no-baselines")
    assert run(*words, "--metric", "ECE(15)", "--metric", "NDCG(5)") == 0
    expected = capsys.readouterr().out
    assert run(*words, "--metric", "ECE", "--metric", "NDCG(k=5)", "--metric", "ECE(bins=15)") == 0
    assert capsys.readouterr().out == expected


def test_a_figure_that_says_nothing_has_a_mark_in_every_form(runs, tmp_path, capsys):
    words = ("table", "text", "ids", "--runs", runs, "--metric", "GAUC", "--metric", "ECE")
    assert run(*words, "--no-baselines") == 0
    said = capsys.readouterr().out
    assert len(re.findall(r"0\.\d{4} ± 0\.\d{4} †", said)) == 2
    assert "† ECE(15): after `matching` scores order items and are no probabilities" in said
    assert run(*words, "-o", tmp_path / "t.md") == 0
    (row,) = [x for x in (tmp_path / "t.md").read_text("utf-8").splitlines() if "| text |" in x]
    assert ["†" in part for part in row.split("|")[3:5]] == [False, True]
    assert run(*words, "-o", tmp_path / "t.tex") == 0
    lines = verify_latex((tmp_path / "t.tex").read_text("utf-8"))
    marked = [line for line in lines if "dagger" in line]
    assert [line.split()[0] for line in marked] == ["text", "ids"]
    assert all(line.count("dagger") == 1 for line in marked)
    assert "% \\textdagger{} ECE(15): after" in (tmp_path / "t.tex").read_text("utf-8")
    # Counting gives probabilities in places: no figure of it has the mark.
    assert any(line.startswith("ItemMean & -- & ") for line in lines)
    assert run("compare", *words[1:5], "--metric", "LogLoss") == 0
    assert "warning: LogLoss: after `matching` scores order items" in capsys.readouterr().out


def test_what_is_not_defined_is_blamed_on_what_it_is_of(runs, tmp_path, capsys):
    """One class alone: no group, and no row against another, has what a metric asks for."""
    folder = tmp_path / "runs" / "text-0123456789ab"
    shutil.copytree(next(runs.glob("text-*")), folder)
    table = pq.read_table(folder / "groups.parquet")
    about = json.loads(table.schema.metadata[b"legoc"])
    for name, figure in about["figures"].items():
        if not figure["by groups"]:
            figure["value"] = None
        elif figure["over"] == "rows":
            nothing = pa.array([None] * len(table), pa.float64()).fill_null(float("nan"))
            table = table.set_column(
                table.column_names.index(f"{name}.sum"), f"{name}.sum", nothing
            )
        else:
            nothing = pa.array([None] * len(table), pa.float64())
            table = table.set_column(table.column_names.index(name), name, nothing)
    pq.write_table(
        table.replace_schema_metadata({b"legoc": json.dumps(about)}), folder / "groups.parquet"
    )
    assert run("table", folder, "--runs", folder.parent) == 0
    said = capsys.readouterr().out
    for name in ("GAUC", "NDCG(5)"):
        assert f"{name} is not defined: no group has a click and a non-click" in said
    for name in ("AUC", "LogLoss", "F1(0.5)", "ECE(15)"):
        assert f"warning: {name} is not defined: the rows are all clicks or all non-clicks" in said
    assert "nan" not in said


def test_a_form_that_does_not_exist_is_refused_by_name(runs, tmp_path, monkeypatch, capsys):
    words = ("table", "ids[seed=1]", "--runs", runs)
    with monkeypatch.context() as patched:
        # Before anything is drawn or written.
        patched.setattr("legoc.experiments.table.tabulate", None)
        assert run(*words, "-o", tmp_path / "t.html") == 1
    said = capsys.readouterr().err
    assert "E0599]: `t.html` does not say how the table is to be written" in said
    assert "name a file that ends in .md, .csv, .tex or .txt, or say `--format`" in said
    assert list(tmp_path.iterdir()) == []
    for name, flags in (("t.html", ("--format", "markdown")), ("t.txt", ()), ("t", ())):
        assert run(*words, "-o", tmp_path / name, *flags) == 0
    assert (tmp_path / "t.html").read_text("utf-8").startswith("| model")
    assert (tmp_path / "t.txt").read_text("utf-8") == (tmp_path / "t").read_text("utf-8")


def test_warnings_stand_beside_what_machines_read(runs, capsys):
    words = ("ids[seed=1]", "text[seed=1]", "--runs", runs)
    assert run("table", *words, "--format", "csv") == 0
    said = capsys.readouterr()
    assert "warning" not in said.out
    assert "warning: trained once" in said.err
    for command in ("table", "compare"):
        assert run(command, *words) == 0
        said = capsys.readouterr()
        assert "\nwarning: trained once" in said.out
        assert said.err == ""


def test_what_counting_reaches_stands_below_unless_told_not_to(runs, spec, capsys):
    words = (
        str(spec),
        "--runs",
        runs,
        "--format",
        "csv",
        "--metric",
        "GAUC",
        "--metric",
        "ECE(15)",
    )
    assert run("table", *words) == 0
    said = capsys.readouterr()
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(said.out))}
    metrics = json.loads(next(runs.glob("text-*/metrics.json")).read_text("utf-8"))
    free = metrics["test"]["baselines"]
    assert set(rows) == {"text", "ids", *free}
    for name, found in free.items():
        assert float(rows[name]["GAUC"]) == found["metrics"]["GAUC"]
        assert rows[name]["seeds"] == rows[name]["GAUC low"] == rows[name]["cpu_seconds"] == ""
    best = max(found["metrics"]["GAUC"] for found in free.values())
    for name in ("text", "ids"):
        worse = float(rows[name]["GAUC"]) <= best
        assert (f"{name} does not beat the free baselines" in said.err) == worse
    assert "does not beat" in said.err
    assert run("table", *words, "--no-baselines") == 0
    bare = capsys.readouterr()
    assert [row["model"] for row in csv.DictReader(io.StringIO(bare.out))] == ["text", "ids"]
    assert "does not beat" not in bare.err


def test_a_counted_model_that_is_a_row_itself_stands_there_once():
    class Counted:
        def __init__(self, op, candidates="shown"):
            stages = {} if op == "Popularity" else {"content": Call(op="CNN", args={})}
            spec = SimpleNamespace(model={**stages, "predict": Call(op=op, args={})})
            free = {"Popularity": {"metrics": {"GAUC": 0.5}, "slices": {}}}
            part = {"metrics": {"GAUC": 0.6}, "slices": {}, "baselines": free}
            about, run = {"contract": {"candidates": candidates}}, SimpleNamespace()
            run.metrics = {"test": part}
            self.results = [SimpleNamespace(spec=spec, run=run, about=about)]

    assert [each.name for each in find_free([Counted("Dot")], "test")] == ["Popularity"]
    assert find_free([Counted("Dot"), Counted("Popularity")], "test") == []
    # What was counted among other candidates is no figure of this table.
    assert find_free([Counted("Dot", "all")], "test") == []
