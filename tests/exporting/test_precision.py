"""fp16 and int8 are really smaller graphs that compute nearly the same."""

import shutil

import numpy as np
import onnx
import pytest

from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import compare_probes, torch_run, verify_file, worst
from legoc.exporting.graphs import GraphCall, reference_copy
from legoc.exporting.precision import convert
from legoc.exporting.probes import make_probes
from legoc.language.diagnosing.diagnostics import LegoError
from tests.exporting.small_models import GRAPHS, ROWS, SPEC, Small
from tests.exporting.test_gates import graph_file, predictor_graph


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_a_converted_graph_keeps_its_ports_and_nearly_its_numbers(
    folder, tmp_path, graph, precision
):
    path = tmp_path / f"{graph.name}.onnx"
    shutil.copyfile(folder / path.name, path)
    changed = convert(path, precision, graph)
    verify_file(path, graph, converted=True)
    labels = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    assert labels["legoc.role"] == graph.name
    figures = compare_probes(
        graph,
        make_probes(graph, SPEC, ROWS),
        torch_run(GraphCall(reference_copy(Small()), graph), graph),
        onnx_run(path, graph),
        tolerance=None,
    )
    # A GRU has no product that int8 covers.
    covered = not (precision == "int8" and graph.name == "user_encoder")
    assert (changed > 0) == covered
    assert (labels.get("legoc.precision") == precision) == covered
    if covered:
        assert 1e-6 < worst(figures).difference < 0.05
    if precision == "fp16":
        types = {w.data_type for w in onnx.load(str(path)).graph.initializer}
        assert onnx.TensorProto.FLOAT16 in types
        assert onnx.TensorProto.FLOAT not in types


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_graph_without_weights_stays_as_it_is(tmp_path, precision):
    path = graph_file(tmp_path / "dot.onnx")
    before = path.read_bytes()
    assert convert(path, precision, predictor_graph()) == 0
    assert path.read_bytes() == before
    verify_file(path, predictor_graph())


def test_the_same_bytes_every_time(folder, tmp_path):
    made = []
    for name in ("a.onnx", "b.onnx"):
        shutil.copyfile(folder / "predictor.onnx", tmp_path / name)
        convert(tmp_path / name, "int8", predictor_graph())
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_a_graph_the_tool_cannot_take_is_an_error_that_names_it(tmp_path, monkeypatch):
    from legoc.exporting import precision

    def broken(model):
        raise RuntimeError("no kernel")

    monkeypatch.setattr(precision, "to_half", broken)
    with pytest.raises(LegoError, match="`predictor` cannot be converted to fp16") as caught:
        convert(graph_file(tmp_path / "dot.onnx"), "fp16", predictor_graph())
    assert caught.value.diagnostics[0].code == "E0828"


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_a_graph_above_the_limit_of_a_message_is_converted_by_its_files(
    kind, folder, tmp_path, monkeypatch
):
    from onnxruntime.transformers import float16

    from legoc.exporting import labels, precision

    graph = next(graph for graph in GRAPHS if graph.name == "item_encoder")
    plain, large = tmp_path / "plain.onnx", tmp_path / "large.onnx"
    for path in (plain, large):
        shutil.copyfile(folder / "item_encoder.onnx", path)
    convert(plain, kind, graph)
    monkeypatch.setattr(labels, "LARGE", 600)
    monkeypatch.setattr(precision, "LARGE", 600)

    def too_large(*_given):
        raise AssertionError("a message of more than 2 GiB")

    monkeypatch.setattr(onnx.ModelProto, "ByteSize", too_large, raising=False)
    monkeypatch.setattr(float16, "infer_shapes", too_large)
    convert(large, kind, graph)
    # In half precision all of these weights are small enough to stay in the graph.
    assert (tmp_path / "large.onnx.data").is_file() == (kind == "int8")
    probe = make_probes(graph, SPEC, ROWS)[0].inputs
    np.testing.assert_array_equal(onnx_run(large, graph)(probe), onnx_run(plain, graph)(probe))
