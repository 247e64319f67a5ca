"""Weights of another version: read where they mean the same, refused where they may not."""

import json
from dataclasses import replace

import pytest
from safetensors.torch import save_file

from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir import form
from legoc.model.run import Run, load_recommender
from legoc.model.versions import keys_of
from legoc.model.weights import own_tensors
from tests.exporting.tiny import call, make, make_spec


class Earlier:
    """The declarations, some of them in an earlier version."""

    def __init__(self, *names):
        self.names = names

    def get(self, role, name):
        found = catalog().get(role, name)
        return replace(found, version=found.version - 1) if name in self.names else found


def with_keys(spec, declarations):
    return replace(spec, keys=keys_of(spec, known=declarations))


@pytest.fixture
def write(tmp_path):
    """A run folder with weights, of a predictor and of the version with other declarations."""

    def write(predict, declarations, whole=True):
        parts = call("content", "Pooling"), call("behavior", "Pooling"), call("predict", predict)
        made = make(make_spec(*parts), tmp_path / "data")
        folder = tmp_path / "run-0"
        folder.mkdir()
        spec = with_keys(made.spec, declarations)
        (folder / "spec.json").write_text(json.dumps(form.to_json(spec)))
        weights = own_tensors(made.recommender)
        if not whole:
            del weights[max(weights)]
        save_file(weights, folder / "best.safetensors")
        return Run(folder), made.prepared.rows

    (tmp_path / "data").mkdir()
    return write


def refusal(run, rows):
    with pytest.raises(LegoError) as caught:
        load_recommender(run, rows)
    (found,) = caught.value.diagnostics
    assert found.code == "E0561"
    assert found.help == ("train the spec again, or use the version that trained it",)
    return found.message


def test_a_run_of_this_version_is_read(write):
    load_recommender(*write("AutoInt", catalog()))


def test_an_operator_that_has_changed_since_is_refused(write):
    """Its weights have the shapes of today's, and would give other scores."""
    run, rows = write("AutoInt", Earlier("AutoInt"))
    assert refusal(run, rows) == (
        f"the run `{run.folder}` was trained by another version of legoc, and `AutoInt` has "
        "changed between versions"
    )


@pytest.mark.parametrize("name", ["DNN", "BST"])
def test_weights_that_mean_the_same_are_read_whatever_else_has_changed(write, name):
    """`BST` has another version since it begins elsewhere, and computes what it did."""
    load_recommender(*write(name, Earlier(name)))


def test_weights_that_do_not_fit_are_said_to_be_of_another_version(write):
    run, rows = write("DNN", Earlier("DNN"), whole=False)
    assert refusal(run, rows) == (
        f"the run `{run.folder}` was trained by another version of legoc: its weights are not "
        "those of the model now"
    )


def test_a_stored_spec_has_the_digests_of_the_spec(tmp_path):
    """What a run is told by is computed from its folder alone."""
    (tmp_path / "free.lego").write_text(
        "data d { source = Demo content = [title(16)] }\nmodel m = predict ItemKNN\nrun m on d\n"
    )
    for path in [tmp_path / "free.lego", *sorted(shipped("specs").glob("*.lego"))]:
        for spec in check(str(path)).specs[:8]:
            stored = form.from_json(json.loads(json.dumps(form.to_json(spec))))
            assert with_keys(stored, catalog()).keys == spec.keys, spec.name
