"""`legoc compare`: runs side by side, refused where that would say nothing."""

import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.evaluation.kept import KEY
from legoc.experiments.folders import list_folders
from tests.experiments.conftest import SPEC
from tests.product.conftest import run


def named(runs, name):
    return next(one.folder for one in list_folders(runs) if one.point == name)


def compared(capsys, *words):
    assert run("compare", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_a_file_stands_for_its_runs_and_seeds_are_repetitions(runs, spec, capsys):
    found = compared(capsys, spec, "--runs", runs)
    comparisons = {each["metric"]: each for each in found["comparisons"]}
    assert set(comparisons) == {"GAUC", "NDCG(5)", "AUC", "LogLoss", "F1(0.5)"}
    for each in comparisons.values():
        assert (each["one"], each["other"]) == ("text", "ids")
        assert each["seeds"] == [3, 3]
        assert each["interval"][0] < each["difference"] < each["interval"][1]
        assert each["adjusted"] >= each["p"]
    figures = [
        json.loads((named(runs, f"text[seed={seed}]") / "metrics.json").read_text("utf-8"))
        for seed in (1, 2, 3)
    ]
    mean = np.mean([each["test"]["metrics"]["GAUC"] for each in figures])
    assert comparisons["GAUC"]["figures"][0] == pytest.approx(mean)


def test_words_say_what_is_real_and_the_single_seed(runs, capsys):
    words = ("text[seed=1]", named(runs, "ids[seed=1]"), "--runs", runs, "--metric", "GAUC")
    assert run("compare", *words) == 0
    said = capsys.readouterr().out
    assert "GAUC: text and ids are not distinguishable" in said
    assert "warning: trained once: text, ids" in said
    found = compared(capsys, *words)["comparisons"][0]
    assert found["winner"] is None
    assert found["verdict"] == "text and ids are not distinguishable"


def rewrite(folder, *, values=None, **changes):
    """A kept file with other values of GAUC, or that says something else of itself."""
    table = pq.read_table(folder / "groups.parquet")
    about = json.loads(table.schema.metadata[KEY])
    if values is not None:
        place = table.column_names.index("GAUC")
        table = table.set_column(
            place, "GAUC", pa.array(values(table["GAUC"].to_numpy()), pa.float64())
        )
    table = table.replace_schema_metadata({KEY: json.dumps(about | changes).encode()})
    pq.write_table(table, folder / "groups.parquet")


@pytest.fixture
def copies(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    return tmp_path / "runs"


def test_a_difference_of_every_group_is_real(copies, capsys):
    for seed in (1, 2, 3):
        rewrite(named(copies, f"text[seed={seed}]"), values=lambda v: v / 2 + 0.5)
    words = ("text", "ids", "--runs", copies, "--metric", "GAUC")
    assert run("compare", *words) == 0
    assert "GAUC: text is better than ids" in capsys.readouterr().out
    assert compared(capsys, *words)["comparisons"][0]["winner"] == "text"


def test_a_metric_that_no_group_defines_is_said(copies, capsys):
    one, other = named(copies, "text[seed=1]"), named(copies, "ids[seed=1]")
    for folder in (one, other):
        rewrite(folder, values=lambda v: [None] * len(v))
    words = (one, other, "--metric", "GAUC")
    assert run("compare", *words) == 0
    said = capsys.readouterr().out
    assert "GAUC: not defined: no group has a click and a non-click" in said
    assert "nan" not in said
    found = compared(capsys, *words)["comparisons"][0]
    assert found["difference"] is None
    assert found["interval"] == [None, None]
    assert run("table", *words) == 0
    said = capsys.readouterr().out
    assert "warning: GAUC is not defined" in said
    assert "nan" not in said


def refusal(capsys, *words):
    assert run("compare", *words) == 1
    return capsys.readouterr().err


def test_other_contracts_and_other_rows_are_refused(copies, capsys):
    one, other = named(copies, "text[seed=1]"), named(copies, "ids[seed=1]")
    about = json.loads(pq.read_schema(other / "groups.parquet").metadata[KEY])
    rewrite(other, contract=about["contract"] | {"group": "user", "candidates": "drawn"})
    said = refusal(capsys, one, other)
    assert "E0596" in said
    assert f"`{other}` was measured under another contract than `{one}`" in said
    assert "group: impression, user" in said
    assert "candidates: shown, drawn" in said
    rewrite(other, contract=about["contract"], rows="0" * 64, data="1" * 64)
    said = refusal(capsys, one, other)
    assert "was measured on other rows" in said
    assert f"data digest: {about['data'][:12]}, 111111111111" in said


def test_what_cannot_be_compared(copies, capsys):
    one, other = named(copies, "text[seed=1]"), named(copies, "ids[seed=1]")
    for words, code, text in (
        (("text[seed=1]", "text[seed=2]"), "E0597", "2 runs of one system are repetitions"),
        ((one,), "E0597", "one run is nothing to compare"),
        ((one, other, "--metric", "MRR"), "E0598", "LogLoss, F1(0.5), ECE(15), MRR]'`, which"),
        ((one, other, "--metric", "ECE(5)"), "E0598", "did you mean `ECE(15)`?"),
        ((one, other, "--metric", "ECE"), "E0598", "`ECE(15)` is of all rows together"),
        (
            (one, other, "--metric", "ECE(15)"),
            "E0598",
            "`ECE(15)` is of all rows together, and has no value per group to compare",
        ),
        (
            (one, other, "--metric", "ECE(15)"),
            "E0598",
            "`legoc table` shows it; compare GAUC, NDCG(5), AUC, LogLoss or F1(0.5)",
        ),
        (("texd", other), "E0560", "did you mean `text`?"),
        ((one, other, "--split", "valid"), "E0595", f"legoc eval {one} --scores --split valid"),
        ((copies.parent / "none.lego",), "E0201", "none.lego"),
    ):
        said = refusal(capsys, *words, "--runs", copies)
        assert f"error[{code}]" in said
        assert text in said
    (other / "groups.parquet").write_bytes(b"PAR1")
    assert f"legoc eval {other} --scores" in refusal(capsys, one, other)
    (other / "groups.parquet").unlink()
    said = refusal(capsys, one, other)
    assert f"E0595]: the run `{other}` (ids[seed=1]) has no `groups.parquet`" in said
    assert f"`legoc eval {other} --scores" in said
    # Every run that lacks them is told at once.
    (one / "groups.parquet").unlink()
    said = refusal(capsys, one, other)
    assert said.count("error[E0595]") == 2
    assert f"`legoc eval {one} --scores" in said
    # What only trained has nothing to be evaluated yet.
    shutil.rmtree(other / "bundle")
    said = refusal(capsys, one, other)
    assert f"`legoc export {other}`, then `legoc eval {other} --scores" in said


def test_the_metric_that_was_lacking_is_measured_as_the_message_says(copies, spec, cache, capsys):
    """By the command of the message, and without training again or losing another metric."""
    words = (spec, "--runs", copies, "--only", "model=text")
    assert run("table", *words, "--metric", "MRR") == 1
    wanted = re.search(r"--set '(train.metrics=[^']+)'", capsys.readouterr().err)
    assert wanted is not None
    before = {path: path.stat().st_mtime_ns for path in copies.glob("*/best.safetensors")}
    assert run("train", *words, "--set", wanted[1], "--cache", cache, "-q") == 0
    after = {path: path.stat().st_mtime_ns for path in copies.glob("*/best.safetensors")}
    assert after == before
    capsys.readouterr()
    assert run("table", *words, "--metric", "MRR", "--metric", "GAUC") == 0


def test_one_training_named_twice_is_refused(copies, capsys):
    one = named(copies, "text[seed=1]")
    shutil.copytree(one, copies / "again")
    said = refusal(capsys, one, copies / "again", named(copies, "ids[seed=1]"))
    assert "are the same model, recipe and seed" in said


def test_few_users_are_said(copies, capsys):
    one, other = named(copies, "text[seed=1]"), named(copies, "ids[seed=1]")
    for folder in (one, other):
        table = pq.read_table(folder / "groups.parquet")
        about = table.schema.metadata
        pq.write_table(table.slice(0, 6).replace_schema_metadata(about), folder / "groups.parquet")
    found = compared(capsys, one, other)
    assert any("users are few" in text for text in found["warnings"])


def test_points_of_a_file_that_were_not_trained_are_named(runs, tmp_path, capsys):
    spec = tmp_path / "more.lego"
    spec.write_text(SPEC.replace("[1, 2, 3]", "[1, 9]"), encoding="utf-8")
    assert run("compare", spec, "--runs", runs) == 0
    said = capsys.readouterr()
    assert "warning: 2 of its points have no run" in said.err
    assert "text[seed=9]" in said.err
    said = refusal(capsys, spec, "--runs", runs / "elsewhere")
    assert f"legoc train {spec}" in said
