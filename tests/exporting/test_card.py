"""The model card: the language's own spelling, every table of figures, honest gaps."""

from legoc.exporting.card import find_reports, metrics_table


def test_figures_are_found_by_split_and_slice():
    report = {"split": "test", "metrics": {"AUC": {"value": 0.5}}, "slices": {"new": {"AUC": 0.4}}}
    assert list(find_reports({"test": report})) == ["test", "test, new"]
    assert list(find_reports(report)) == ["test", "test, new"]
    table = metrics_table(
        {"valid": {"metrics": {"AUC": 0.61, "MRR": None}}, "test": report}, {"MRR": "why"}
    )
    assert "| metric | valid | test | test, new |" in table
    assert "| AUC | 0.6100 | 0.5000 | 0.4000 |" in table
    assert "| MRR\\* | - | - | - |" in table


def test_a_run_without_evaluation_says_so():
    assert "No evaluation" in metrics_table(None, {})
    assert "No evaluation" in metrics_table({}, {})
