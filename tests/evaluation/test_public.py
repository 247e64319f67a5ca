"""`legoc.evaluate` on a bundle and on a run: through onnxruntime, through torch, without caches."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from safetensors.torch import save_file

import legoc
import legoc.data
from legoc.commands.cli import main
from legoc.evaluation import public
from legoc.evaluation.cold import mark_cold
from legoc.evaluation.torch_engine import TorchEngine
from legoc.exporting import write_bundle
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir import form
from legoc.model.run import Run, load_recommender
from legoc_runtime.graphs import Graphs
from tests.exporting.tiny import call, make, make_log, make_spec


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A run folder with weights and bundle, whose test part has an item training never showed."""
    parts = call("content", "Pooling"), call("behavior", "Pooling"), call("predict", "DNN")
    made = make(make_spec(*parts), tmp_path_factory.mktemp("data"))
    shown = made.prepared.training_items.copy()
    shown[make_log().item[1]] = False
    prepared = dataclasses.replace(
        made.prepared, logs={"valid": make_log(), "test": make_log()}, training_items=shown
    )
    folder = tmp_path_factory.mktemp("runs") / "tiny-0"
    folder.mkdir()
    (folder / "spec.json").write_text(json.dumps(form.to_json(made.spec)))
    save_file(made.recommender.state_dict(), folder / "best.safetensors")
    write_bundle(made.recommender, made.spec, made.plan, prepared, folder / "bundle")
    return Run(folder), prepared


@pytest.fixture(autouse=True)
def at_hand(tiny, monkeypatch):
    monkeypatch.setattr(legoc.data, "prepare", lambda spec, **given: tiny[1])


def test_every_way_of_evaluating_agrees(tiny):
    run, prepared = tiny
    report = legoc.evaluate(run, keep_scores=True)
    assert (report.engine, report.split, report.group) == ("onnxruntime", "test", "impression")
    assert list(report.metrics) == ["GAUC", "NDCG(5)"]
    rows = prepared.logs["test"].item
    new = int((~prepared.training_items[rows]).sum())
    assert 0 < new < len(rows)
    assert list(report.slices) == ["known", "new"]
    assert np.ptp(report.scores) > 0.1
    for other in (
        legoc.evaluate(run.folder / "bundle", keep_scores=True),
        legoc.evaluate(str(run.folder), cached=False, keep_scores=True),
        legoc.evaluate(run, engine="torch", split="valid", keep_scores=True),
    ):
        assert other.scores == pytest.approx(report.scores, abs=1e-5)
        assert other["GAUC"] == pytest.approx(report["GAUC"], abs=1e-6)
    assert other.split == "valid"


@pytest.mark.parametrize("cached", [True, False])
def test_a_look_at_lists_encodes_the_catalogue_no_second_time(tiny, monkeypatch, cached):
    run, prepared = tiny
    whole: list[int] = []
    told = []
    right = TorchEngine.encode_items

    def watched(engine, inputs):
        # Without caches, the items of some pairs are encoded as well.
        if not hasattr(inputs, "origin"):
            whole.append(len(inputs.lengths))
        return right(engine, inputs)

    monkeypatch.setattr(TorchEngine, "encode_items", watched)
    monkeypatch.setattr(public, "look_beyond", lambda *given: told.append(given))
    legoc.evaluate(run, engine="torch", cached=cached, top=2)
    assert whole == [len(prepared.items)]
    vectors = right(TorchEngine(load_recommender(run, prepared.rows)), prepared.inputs)
    ((_, _, _, found, k),) = told
    np.testing.assert_array_equal(found, vectors.numpy())
    assert k == 2


def test_what_cannot_be_evaluated(tiny, tmp_path):
    run, _ = tiny
    for given, code, message in (
        ((tmp_path,), "E0592", "neither a run nor a bundle"),
        ((run, "train"), "E0591", "no part `train`"),
    ):
        with pytest.raises(LegoError, match=message) as caught:
            legoc.evaluate(given[0], split=given[1] if len(given) > 1 else None)
        assert [d.code for d in caught.value.diagnostics] == [code]
    with pytest.raises(LegoError, match="is a bundle, and torch"):
        legoc.evaluate(run.folder / "bundle", engine="torch")
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(LegoError, match="has no bundle yet"):
        legoc.evaluate(tmp_path)


def test_cold_rows_are_measured_where_it_is_asked_for(tiny):
    run, prepared = tiny
    report = legoc.evaluate(run, cold=True)
    cold = mark_cold(prepared.logs["test"])
    assert cold
    assert list(report.slices) == ["known", "new", *cold]
    assert report.to_json()["slices"].keys() == report.slices.keys()
    assert len(report.table()[0]) == 2 + len(report.slices)


def named(bundle, monkeypatch, path):
    """The spec that is prepared when `bundle` is evaluated, after its source became MIND."""
    asked = []
    monkeypatch.setattr(legoc.data, "prepare", lambda spec, **given: asked.append(spec))
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["spec"]["data"]["source"] = {"op": "MIND", "args": {"path": path}}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return asked


def test_a_bundle_on_its_own_is_told_where_its_data_lie(tiny, tmp_path, monkeypatch):
    shutil.copytree(tiny[0].folder / "bundle", tmp_path / "bundle")
    asked = named(tmp_path / "bundle", monkeypatch, "MINDsmall")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(LegoError) as error:
        legoc.evaluate(tmp_path / "bundle")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0593"
    assert "`MINDsmall`" in diagnostic.message
    assert "--data" in diagnostic.help[0]
    assert asked == []
    with pytest.raises(AttributeError):  # what is prepared here is nothing to go on with
        legoc.evaluate(tmp_path / "bundle", data=tmp_path / "raw")
    assert asked.pop().data.source.args["path"] == str(tmp_path / "raw" / "MINDsmall")
    (tmp_path / "work" / "MINDsmall").mkdir()
    with pytest.raises(AttributeError):
        legoc.evaluate(tmp_path / "bundle")
    assert asked.pop().data.source.args["path"] == "MINDsmall"


def test_a_bundle_in_its_run_knows_where_its_data_lie(tiny, tmp_path, monkeypatch):
    shutil.copytree(tiny[0].folder, tmp_path / "run")
    asked = named(tmp_path / "run" / "bundle", monkeypatch, "MINDsmall")
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    spec["data"]["source"] = {"op": "MIND", "args": {"path": "/raw/MINDsmall"}}
    (tmp_path / "run" / "spec.json").write_text(json.dumps(spec))
    for place in ("run", "run/bundle"):
        with pytest.raises(AttributeError):
            legoc.evaluate(tmp_path / place)
        assert asked.pop().data.source.args["path"] == "/raw/MINDsmall"


def test_a_bundle_of_this_very_data_encodes_no_item_again(tiny, monkeypatch):
    run, prepared = tiny
    calls = []
    encode = Graphs.encode_items

    def counted(self, inputs):
        calls.append(inputs)
        return encode(self, inputs)

    monkeypatch.setattr(Graphs, "encode_items", counted)
    stored = legoc.evaluate(run, keep_scores=True)
    assert not calls
    assert "from the bundle, encoded" in stored.summary()
    # Without caches, or on other data than the bundle's, items are what they are read as.
    legoc.evaluate(run, cached=False)
    assert calls
    calls.clear()
    other = dataclasses.replace(prepared, digest="other")
    monkeypatch.setattr(legoc.data, "prepare", lambda spec, **given: other)
    again = legoc.evaluate(run, keep_scores=True)
    assert calls
    assert "from the bundle" not in again.summary()
    assert again.scores == pytest.approx(stored.scores, abs=1e-6)


def test_a_bundle_is_not_evaluated_with_the_numbers_of_other_words(tiny, tmp_path, monkeypatch):
    """Two words that change places: the sizes fit, and every figure would be wrong."""
    run, prepared = tiny
    folder = tmp_path / "reading"
    shutil.copytree(prepared.reading_folder, folder)
    path = folder / "tokenizers" / "words" / "tokenizer.json"
    content = json.loads(path.read_text("utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary["bread"], vocabulary["rain"] = vocabulary["rain"], vocabulary["bread"]
    path.write_text(json.dumps(content), "utf-8")
    other = dataclasses.replace(prepared, reading_folder=folder, digest="other")
    monkeypatch.setattr(legoc.data, "prepare", lambda spec, **given: other)
    with pytest.raises(LegoError, match="other numbers") as caught:
        legoc.evaluate(run)
    assert caught.value.diagnostics[0].code == "E0593"


def test_a_bundle_of_another_version_says_so(tiny, tmp_path, capsys):
    shutil.copytree(tiny[0].folder / "bundle", tmp_path / "bundle")
    path = tmp_path / "bundle" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["spec"]["model"]["content"]["op"] = "Sorcery"
    path.write_text(json.dumps(manifest))
    for command in ("eval", "inspect"):
        assert main([command, str(tmp_path / "bundle")]) == 1
        said = capsys.readouterr().err
        assert "E0592" in said
        assert "no content operator 'Sorcery' is declared" in said
