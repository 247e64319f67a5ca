"""The model card: the language's own spelling, every table of figures, honest gaps."""

from legoc.exporting.card import find_reports, metrics_table, pipeline
from tests.exporting.tiny import call, make_spec


def test_the_pipeline_is_written_as_the_language_writes_it():
    spec = make_spec(
        call("content", "CNN"), call("behavior", "Null"), call("predict", "DIN", units=(16, 8))
    )
    text = pipeline(spec)
    assert text.startswith("content CNN(hidden=8, kernel=3, fuse=additive, ")
    assert "behavior Null -> predict DIN(units=[16, 8], " in text
    assert "softmax=false" in text


def test_figures_are_found_by_split_and_slice():
    report = {"split": "test", "metrics": {"AUC": {"value": 0.5}}, "slices": {"new": {"AUC": 0.4}}}
    assert list(find_reports({"test": report})) == ["test", "test, new"]
    assert list(find_reports(report)) == ["test", "test, new"]
    table = metrics_table({"valid": {"metrics": {"AUC": 0.61, "MRR": None}}, "test": report})
    assert "| metric | valid | test | test, new |" in table
    assert "| AUC | 0.6100 | 0.5000 | 0.4000 |" in table
    assert "| MRR | - | - | - |" in table


def test_a_run_without_evaluation_says_so():
    assert "No evaluation" in metrics_table(None)
    assert "No evaluation" in metrics_table({})
