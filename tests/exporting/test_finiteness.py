"""No bundle holds a number that is not finite, wherever it lies and whoever looks."""

import copy
import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file

from legoc.exporting import verify_bundle, write_bundle
from legoc.exporting.contents import describe_files
from legoc.exporting.gates import verify_file
from legoc.exporting.verify import read_graph
from legoc.language.diagnosing.diagnostics import LegoError
from legoc_runtime.tensors import read_tensors
from tests.exporting.tiny import call, make, make_spec


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    spec = make_spec(
        call("content", "Pooling"), call("behavior", "Pooling"), call("predict", "Dot")
    )
    return make(spec, tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="module")
def bundle(quick, tmp_path_factory):
    return write(quick, tmp_path_factory.mktemp("runs") / "bundle")


@pytest.fixture
def copied(bundle, tmp_path):
    shutil.copytree(bundle.path, tmp_path / "bundle")
    return tmp_path / "bundle"


def write(tiny, folder):
    return write_bundle(tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, folder)


def sign(folder):
    """The manifest made to agree with changed files, as somebody would who wants it to load."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {n: e for n, e in describe_files(folder).items() if n != path.name}
    for name, graph in manifest["graphs"].items():
        sha256 = manifest["files"][graph["file"]]["sha256"]
        manifest["certificate"]["graphs"][name]["sha256"] = sha256
    path.write_text(json.dumps(manifest))


def broken(tiny, change):
    """The same model with something in its weights changed."""
    recommender = copy.deepcopy(tiny.recommender)
    with torch.no_grad():
        change(recommender)
    return dataclasses.replace(tiny, recommender=recommender)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_item_outside_the_sample_that_is_not_finite_is_no_bundle(value, tmp_path, monkeypatch):
    """Items are rows of a table, and the certificate looks at few of them."""
    spec = make_spec(
        call("content", "Null"), call("behavior", "Pooling"), call("predict", "Dot")
    )  # fmt: skip
    made = make(spec, tmp_path / "data")
    monkeypatch.setattr("legoc.exporting.bundle.verify_weights", lambda model: None)
    log = made.prepared.logs["valid"]
    short = dataclasses.replace(
        log,
        history=log.history[:5] * 0,
        item=log.item[:5],
        label=log.label[:5],
        group=log.group[:5],
    )
    seen = {0, *short.item.tolist(), *short.clicks[: short.starts[1]].tolist()}
    unseen = next(row for row in range(1, 12) if row not in seen)
    monkeypatch.setattr("legoc.exporting.certificate.RANKED_ITEMS", 0)
    made = dataclasses.replace(
        made, prepared=dataclasses.replace(made.prepared, logs={"valid": short})
    )

    def spoil(recommender):
        recommender.content.table.weight[unseen, 3] = value

    with pytest.raises(LegoError, match=f"1 of 11 items .* not finite: `N{unseen}`") as caught:
        write(broken(made, spoil), tmp_path / "bundle")
    assert caught.value.diagnostics[0].code == "E0824"
    assert not (tmp_path / "bundle").exists()


def test_a_weight_that_no_item_and_no_probe_reads_has_to_be_finite_too(quick, tmp_path):
    def spoil(recommender):
        table = next(p for name, p in recommender.named_parameters() if name.startswith("tokens"))
        table[-1, 0] = float("nan")

    with pytest.raises(LegoError, match=r"1 of [\d,]+ numbers of the weight `tokens.* not finite"):
        write(broken(quick, spoil), tmp_path / "bundle")


def test_verify_finds_an_item_that_is_not_finite(copied):
    path = copied / "cache" / "items.safetensors"
    tensors = {name: torch.from_numpy(array.copy()) for name, array in read_tensors(path).items()}
    tensors["vectors"][7, 2] = float("nan")
    save_file(tensors, path)
    sign(copied)
    with pytest.raises(LegoError, match=r"finite|number") as caught:
        verify_bundle(copied)
    assert caught.value.diagnostics[0].code == "E0829"


def test_a_weight_in_a_graph_that_no_probe_may_read_has_to_be_a_number(bundle, tmp_path):
    graph = read_graph("item_encoder", bundle.manifest["graphs"]["item_encoder"])
    path = tmp_path / "graph.onnx"
    shutil.copyfile(bundle.path / "onnx" / "item_encoder.onnx", path)
    verify_file(path, graph)
    model = onnx.load(str(path))
    weight = next(w for w in model.graph.initializer if w.name.endswith("tokens.table.weight"))
    values = onnx.numpy_helper.to_array(weight).copy()
    values[-1, 0] = np.nan
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, str(path))
    with pytest.raises(LegoError, match="no number") as caught:
        verify_file(path, graph)
    assert caught.value.diagnostics[0].code == "E0824"
