"""A whole bundle: written, loaded by the runtime, verified, damaged, refused."""

import copy
import dataclasses
import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file

import legoc.data
import legoc_runtime
from legoc.exporting import export, labels, record_metrics, verify_bundle, write_bundle
from legoc.exporting.contents import describe_files
from legoc.exporting.gates import TARGET, verify_file
from legoc.exporting.precision import convert
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir import form
from legoc.language.ir.spec import Call, Export
from legoc_runtime.tensors import read_tensors
from tests.exporting.tiny import WIDTH, call, make, make_spec, records


METRICS = {
    "split": "test",
    "metrics": {"GAUC": {"value": 0.6543, "over": "groups", "count": 9, "excluded": 1}},
    "slices": {"new items": {"GAUC": {"value": 0.5, "over": "groups", "count": 9, "excluded": 1}}},
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    spec = make_spec(call("content", "CNN"), call("behavior", "GRU"), call("predict", "DNN"))
    return make(spec, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A model that exports in a moment, for what has to be written anew."""
    spec = make_spec(
        call("content", "Pooling"), call("behavior", "Pooling"), call("predict", "DNN")
    )
    return make(spec, tmp_path_factory.mktemp("quick"))


def write(tiny, folder, **given):
    return write_bundle(tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, folder, **given)


@pytest.fixture(scope="module")
def bundle(tiny, tmp_path_factory):
    return write(tiny, tmp_path_factory.mktemp("runs") / "bundle", metrics=METRICS)


@pytest.fixture
def copied(bundle, tmp_path):
    shutil.copytree(bundle.path, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_every_file_is_where_the_design_says_and_in_the_manifest(bundle):
    files = {p.relative_to(bundle.path).as_posix() for p in bundle.path.rglob("*") if p.is_file()}
    assert files == {
        "manifest.json", "README.md", "model.lego", "golden.safetensors", "probes/texts.json",
        "onnx/item_encoder.onnx", "onnx/user_encoder.onnx", "onnx/predictor.onnx",
        "tokenizers/words/tokenizer.json", "vocabularies/category.json", "cache/items.safetensors",
    }  # fmt: skip
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    assert manifest == bundle.manifest
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert manifest["graphs"]["predictor"]["inputs"][2] == {
        "name": "owner", "dtype": "int64", "dims": ["pair"]
    }  # fmt: skip
    assert manifest["plan"] == {
        "layout": "fields", "user": "vector", "reads_user": False, "width": WIDTH
    }  # fmt: skip
    assert [p.name for p in bundle.path.parent.iterdir()] == ["bundle"]


def torch_vectors(tiny):
    rows = tiny.prepared.inputs.rows(np.arange(1, 12, dtype=np.int32))
    with torch.no_grad():
        return tiny.recommender.eval().encode_items(
            {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in rows.items()}
        )


def test_the_item_matrix_is_what_torch_computes_and_row_zero_is_zero(tiny, bundle):
    stored = read_tensors(bundle.path / "cache" / "items.safetensors")
    assert not stored["vectors"][0].any()
    np.testing.assert_allclose(stored["vectors"][1:], torch_vectors(tiny), rtol=1e-5, atol=1e-6)
    text = stored["ids"].tobytes()
    ends = stored["offsets"]
    ids = [text[a:b].decode() for a, b in pairwise(ends)]
    assert ids == ["", *(f"N{i}" for i in range(1, 12))]


def test_the_runtime_scores_as_torch_does(tiny, bundle):
    model = legoc_runtime.load(bundle.path)
    history, candidates = ["N3", "N1"], ["N5", "N9", "N2"]
    found = model.score(model.encode_user(history), candidates)
    vectors = torch_vectors(tiny)
    with torch.no_grad():
        clicks = vectors[[2, 0]].unsqueeze(0)
        user = tiny.recommender.encode_users(clicks, torch.ones(1, 2, dtype=torch.bool), None)
        expected = tiny.recommender.score(
            user, vectors[[4, 8, 1]], torch.zeros(3, dtype=torch.long), None
        )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_new_item_from_raw_text_gets_the_vector_of_the_same_item_of_the_cache(bundle):
    model = legoc_runtime.load(bundle.path)
    model.items.add([{**records()[0], "id": "X1"}])
    user = model.encode_user(["N3"])
    same, new = model.score(user, ["N1", "X1"])
    assert same == pytest.approx(float(new), abs=1e-6)


def test_the_certificate(bundle):
    certificate = bundle.certificate
    assert certificate["difference"] < TARGET
    assert set(certificate["graphs"]) == {"item_encoder", "user_encoder", "predictor"}
    for graph in certificate["graphs"].values():
        assert len(graph["probes"]) >= 5
        assert graph["difference"] == max(graph["probes"].values())
        assert graph["real"] < TARGET
    whole = certificate["whole"]
    assert (whole["split"], whole["groups"], whole["of"], whole["rows"]) == ("valid", 6, 6, 30)
    assert whole["top"] == {"k": 10, "users": 3, "items": 11, "agreement": 1.0}
    assert set(whole["metrics"]) == {"GAUC", "NDCG(5)"}
    assert 0 <= whole["metrics"]["GAUC"]["torch"] <= 1
    assert abs(whole["metrics"]["GAUC"]["difference"]) < 1e-6


def test_provenance_names_digests_and_versions_and_no_place(bundle):
    provenance = bundle.manifest["provenance"]
    assert (provenance["spec"], provenance["data"]) == ("3" * 64, "4" * 64)
    assert provenance["seed"] == 5
    assert provenance["versions"]["torch"] == torch.__version__


def test_the_card_has_figures_and_limits(bundle):
    card = (bundle.path / "README.md").read_text()
    assert "| GAUC | 0.6543 | 0.5000 |" in card
    assert "| metric | test | test, new items |" in card
    assert "legoc_runtime" in card
    assert "of the best 10 of 11 items" in card.lower()


def test_verify_accepts_what_was_written(bundle):
    report = verify_bundle(bundle.path)
    assert report.files == len(bundle.manifest["files"])
    assert report.golden > 20
    assert report.difference < TARGET


@pytest.mark.parametrize(
    "name",
    ["onnx/predictor.onnx", "cache/items.safetensors", "golden.safetensors", "README.md",
     "tokenizers/words/tokenizer.json"],
)  # fmt: skip
def test_one_flipped_byte_is_found_and_named(copied, name):
    path = copied / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(LegoError, match=name) as caught:
        verify_bundle(copied)
    assert caught.value.diagnostics[0].code == "E0829"


def test_what_was_opened_is_what_is_verified(copied, monkeypatch):
    """Nothing opens a file again that somebody may have replaced meanwhile."""
    opened = legoc_runtime.open_bundle

    def open_and_replace(path):
        bundle = opened(path)
        for file in Path(path).rglob("*"):
            if file.is_file():
                file.unlink()
                file.write_bytes(b"replaced")
        return bundle

    monkeypatch.setattr(legoc_runtime, "open_bundle", open_and_replace)
    monkeypatch.setattr("legoc_runtime.model.open_bundle", open_and_replace)
    assert verify_bundle(copied).golden > 20


def change_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def swap_graph(manifest):
    manifest["certificate"]["graphs"]["predictor"]["sha256"] = "0" * 64


def above_tolerance(manifest):
    manifest["certificate"]["graphs"]["predictor"]["probes"]["1x1"] = 1.0


def no_number(manifest):
    manifest["certificate"]["graphs"]["predictor"]["real"] = float("nan")


def other_port(manifest):
    manifest["graphs"]["predictor"]["outputs"][0]["dims"] = ["pairs"]


@pytest.mark.parametrize("change", [swap_graph, above_tolerance, no_number, other_port])
def test_a_certificate_that_does_not_hold_is_found(copied, change):
    change_manifest(copied, change)
    with pytest.raises(LegoError) as caught:
        verify_bundle(copied)
    assert caught.value.diagnostics[0].code in ("E0829", "E0822")


def test_golden_tensors_of_another_model_are_found(copied):
    from safetensors.numpy import load_file, save_file

    tensors = load_file(copied / "golden.safetensors")
    tensors["predictor/3x7/scores"] = tensors["predictor/3x7/scores"] + 1
    save_file(tensors, copied / "golden.safetensors")
    change_manifest(copied, lambda m: m.update(files=describe_rest(copied)))
    with pytest.raises(LegoError, match="3x7"):
        verify_bundle(copied)


def describe_rest(folder):
    files = describe_files(folder)
    del files["manifest.json"]
    return files


def predictor_alone(tiny):
    """For failures of the predictor, which need no other graph."""
    graphs = (tiny.plan.graph("predictor"),)
    return dataclasses.replace(tiny, plan=dataclasses.replace(tiny.plan, graphs=graphs))


def test_diverged_weights_write_nothing(quick, tmp_path):
    broken = copy.deepcopy(quick.recommender)
    with torch.no_grad():
        next(broken.predict.parameters()).fill_(float("nan"))
    changed = dataclasses.replace(predictor_alone(quick), recommender=broken)
    with pytest.raises(LegoError, match=r"weight `predict\..* not finite") as caught:
        write(changed, tmp_path / "bundle")
    assert caught.value.diagnostics[0].code == "E0824"
    assert not any(tmp_path.iterdir())


def test_a_budget_refuses_a_larger_predictor(quick, tmp_path):
    spec = dataclasses.replace(quick.spec, export=Export(budget=1000))
    with pytest.raises(LegoError, match="budget") as caught:
        write(dataclasses.replace(predictor_alone(quick), spec=spec), tmp_path / "bundle")
    assert caught.value.diagnostics[0].code == "E0826"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_lower_precision_is_judged_by_its_ranking(quick, tmp_path, precision):
    spec = dataclasses.replace(quick.spec, export=Export(precision=precision))
    made = write(dataclasses.replace(quick, spec=spec), tmp_path / "bundle")
    certificate = made.certificate
    assert certificate["precision"] == precision
    assert certificate["difference"] < TARGET  # of the float32 graphs, before the conversion
    assert certificate["graphs"]["predictor"]["converted"]["changed"] > 0
    assert certificate["graphs"]["predictor"]["converted"]["difference"] > 1e-6
    assert certificate["whole"]["difference"] > 1e-6
    assert certificate["whole"]["top"]["agreement"] > 0.8
    assert precision in (made.path / "README.md").read_text()
    # Caches and graphs come from one variant; here the embedding is what changes.
    stored = read_tensors(made.path / "cache" / "items.safetensors")["vectors"]
    exact = torch_vectors(quick).numpy()
    assert np.abs(stored[1:] - exact).max() < 0.01
    assert np.abs(stored[1:] - exact).max() > 1e-5
    verify_bundle(made.path)


def test_metrics_are_entered_into_the_card_and_nothing_else_changes(copied):
    before = json.loads((copied / "manifest.json").read_text())
    later = {"test": {**METRICS, "metrics": {"GAUC": {"value": 0.7777}}}}
    made = record_metrics(copied, later)
    card = (copied / "README.md").read_text()
    assert "| GAUC | 0.7777 | 0.5000 |" in card
    assert "0.6543" not in card
    assert made.manifest == json.loads((copied / "manifest.json").read_text())
    changed = {n for n, f in made.manifest["files"].items() if before["files"][n] != f}
    assert changed == {"README.md"}
    verify_bundle(copied)


def test_weights_beside_a_large_graph(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(labels, "LARGE", 500)
    made = write(quick, tmp_path / "bundle")
    assert "onnx/predictor.onnx.data" in made.manifest["files"]
    assert made.certificate["difference"] < TARGET
    verify_bundle(made.path)
    again = write(quick, tmp_path / "elsewhere" / "bundle")
    for name in ("onnx/predictor.onnx", "onnx/predictor.onnx.data"):
        assert again.manifest["files"][name] == made.manifest["files"][name]
    shutil.copytree(made.path / "onnx", tmp_path / "half")
    half = tmp_path / "half" / "predictor.onnx"
    assert convert(half, "fp16", quick.plan.graph("predictor")) > 0
    verify_file(half, quick.plan.graph("predictor"), converted=True)
    assert (
        half.with_name("predictor.onnx.data").stat().st_size
        < (made.manifest["files"]["onnx/predictor.onnx.data"]["bytes"])
    )
    data = bytearray((made.path / "onnx" / "predictor.onnx.data").read_bytes())
    data[7] ^= 1
    (made.path / "onnx" / "predictor.onnx.data").write_bytes(bytes(data))
    with pytest.raises(LegoError, match=r"predictor\.onnx\.data"):
        verify_bundle(made.path)


def test_a_run_folder_is_exported_with_its_settings_and_metrics(quick, tmp_path, monkeypatch):
    run = tmp_path / "tiny-0123456789ab"
    run.mkdir()
    (run / "spec.json").write_text(json.dumps(form.to_json(quick.spec)))
    (run / "metrics.json").write_text(json.dumps({"test": METRICS}))
    (run / "model.lego").write_text("# as written\n")
    save_file(quick.recommender.state_dict(), run / "best.safetensors")
    monkeypatch.setattr(legoc.data, "prepare", lambda spec, **given: quick.prepared)
    made = export(run, settings=Export(opset=18))
    assert made.path == run / "bundle"
    assert (made.path / "model.lego").read_text() == "# as written\n"
    assert "0.6543" in (made.path / "README.md").read_text()
    assert made.manifest["spec"]["export"]["opset"] == 18
    assert onnx.load(str(made.path / "onnx" / "predictor.onnx")).opset_import[0].version == 18
    verify_bundle(made.path)


def test_items_that_are_rows_of_a_table(tmp_path):
    spec = make_spec(call("content", "Null"), call("behavior", "Pooling"), call("predict", "Dot"))
    tiny = make(spec, tmp_path / "data")
    made = write(tiny, tmp_path / "bundle")
    assert set(made.manifest["graphs"]) == {"user_encoder", "predictor"}
    assert made.manifest["reading"] is None
    stored = read_tensors(made.path / "cache" / "items.safetensors")["vectors"]
    with torch.no_grad():
        table = tiny.recommender.encode_items({"item": torch.arange(12)}).numpy()
    np.testing.assert_array_equal(stored[1:], table[1:])
    assert not stored[0].any()
    verify_bundle(made.path)


def test_a_predictor_that_reads_clicks(tmp_path):
    spec = make_spec(call("content", "Attention"), call("behavior", "Null"), call("predict", "DIN"))
    (tmp_path / "data").mkdir()
    made = write(make(spec, tmp_path / "data"), tmp_path / "bundle")
    assert set(made.manifest["graphs"]) == {"item_encoder", "predictor"}
    assert made.certificate["difference"] < TARGET
    model = legoc_runtime.load(made.path)
    ids, scores = model.recommend(model.encode_user(["N3", "N1"]), k=3)
    assert len(ids) == 3
    assert (np.diff(scores) <= 0).all()
    verify_bundle(made.path)


BLOCKED = """
import sys
from itertools import pairwise
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "legoc", "onnx", "safetensors", "pandas"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocker())
import legoc_runtime
model = legoc_runtime.load(sys.argv[1])
model.self_test()
print(len(model.recommend(model.encode_user(["N3"]), k=3)[0]))
"""


def test_the_bundle_serves_without_torch(bundle):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(bundle.path)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "3", done.stderr


def test_a_bundle_says_what_its_data_are_called_and_not_where_they_lay(quick, tmp_path):
    source = Call(op="MIND", args={"path": str(tmp_path / "raw" / "MINDsmall")})
    spec = dataclasses.replace(quick.spec, data=dataclasses.replace(quick.spec.data, source=source))
    made = write_bundle(
        quick.recommender, spec, quick.plan, quick.prepared, tmp_path / "bundle",
        source_text=f'data d {{ source = MIND("{tmp_path}/raw/MINDsmall") }}',
    )  # fmt: skip
    assert made.manifest["spec"]["data"]["source"]["args"] == {"path": "MINDsmall"}
    assert 'MIND(path="MINDsmall")' in (made.path / "model.lego").read_text()
    for path in made.path.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes()
    record_metrics(made.path, METRICS)
