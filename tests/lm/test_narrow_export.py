"""A language model in int8: what that changes is measured and said."""

from legoc.commands.export import show_bundle, show_verified, write_difference
from legoc.commands.train import show_runs
from legoc.exporting import verify_bundle
from legoc.exporting.public import export
from legoc.language.ir.spec import Export
from legoc.training import train


def test_int8_says_what_it_does_to_the_ranking(whole, cache, make_spec, tmp_path, capsys):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2, lora=4)')
    run = train(spec, runs=tmp_path, until="train", cache=cache)
    made = export(run, settings=Export(precision="int8"), cache=cache)
    found = made.certificate
    assert found["difference"] < 1e-4
    assert found["graphs"]["item_encoder"]["converted"]["changed"] > 0
    # The difference in float32 alone would speak of graphs that are not in the bundle.
    assert found["whole"]["difference"] > 10 * found["difference"]
    said = (
        f"int8: scores {found['whole']['difference']:.1e}, metrics ",
        f", best 10 {found['whole']['top']['agreement']:.1%} alike",
    )
    for show in (
        lambda: show_runs([run]),
        lambda: show_bundle(made.path),
        lambda: show_verified(verify_bundle(made.path)),
    ):
        show()
        shown = capsys.readouterr().out
        assert all(text in shown for text in said), shown


def test_a_narrow_export_without_labelled_rows_says_that_nothing_was_measured():
    found = {"difference": 2e-7, "precision": "int8", "whole": None}
    assert write_difference(found) == (
        "2.0e-07 in fp32; int8 was not measured, for no row has a label"
    )
    assert write_difference({**found, "precision": "fp32"}) == "2.0e-07"
