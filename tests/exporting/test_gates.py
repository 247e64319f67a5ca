"""Each gate is red on the fault it is for."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from legoc.exporting.gates import (
    compare_probes,
    relative_difference,
    verify_budget,
    verify_file,
)
from legoc.exporting.probes import make_probes
from legoc.language.diagnosing.diagnostics import LegoError
from tests.exporting.small_models import ROWS, SPEC, WIDTH, predictor_graph, user_graph


def code(caught) -> str:
    return caught.value.diagnostics[0].code


def mean(inputs):
    """A user encoder in numpy that keeps all contracts."""
    mask = inputs["clicks_mask"]
    real = np.where(mask[..., None], inputs["clicks"], 0)
    return (real.sum(1) / np.maximum(mask.sum(1), 1)[:, None]).astype(np.float32)


def probes():
    return make_probes(user_graph(), SPEC, ROWS)


def compare(reference, given, tolerance=1e-4):
    return compare_probes(user_graph(), probes(), reference, given, tolerance=tolerance)


def test_equal_engines_pass():
    assert {figure.difference for figure in compare(mean, mean)} == {0.0}


def test_the_difference_is_relative_to_large_numbers_and_absolute_for_small_ones():
    assert relative_difference(np.array([1000.0]), np.array([1001.0])) == pytest.approx(1e-3)
    assert relative_difference(np.array([0.001]), np.array([0.002])) == pytest.approx(1e-3)
    assert relative_difference(np.zeros(3), np.zeros(4)) == np.inf
    assert relative_difference(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


def test_a_difference_names_graph_probe_and_number():
    with pytest.raises(LegoError, match=r"`user_encoder` differs .* 1\.96e-03 .* `3x5`") as caught:
        compare(mean, lambda inputs: mean(inputs) + np.float32(0.002))
    assert code(caught) == "E0823"


def test_a_difference_at_one_probe_alone_is_found():
    def off_by_length(inputs):
        extra = 0.5 if inputs["clicks"].shape[1] == SPEC.data.history else 0.0
        return mean(inputs) + np.float32(extra)

    with pytest.raises(LegoError, match="`longest`"):
        compare(mean, off_by_length)


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
def test_nan_for_an_empty_row_is_found_in_either_engine(engine):
    def broken(inputs):
        with np.errstate(invalid="ignore"):
            return (mean(inputs) / (inputs["clicks_mask"].any(1)[:, None])).astype(np.float32)

    pair = (broken, mean) if engine == "torch" else (mean, broken)
    with pytest.raises(LegoError, match=f"{engine} on the probe `empty_row`") as caught:
        compare(*pair)
    assert code(caught) == "E0824"


def test_reading_padding_is_found_though_both_engines_agree():
    def reads(inputs):
        return inputs["clicks"].mean(1)

    with pytest.raises(LegoError, match="padding") as caught:
        compare(reads, reads)
    assert code(caught) == "E0827"


def test_a_converted_graph_is_not_held_to_the_tolerance_but_to_shape_and_finiteness():
    figures = compare(mean, lambda i: mean(i) + np.float32(0.01), tolerance=None)
    assert max(f.difference for f in figures) == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(
        LegoError, match=r"gives \[3, 7\] .* `3x5`, which asks for \[3, 8\]"
    ) as caught:
        compare(mean, lambda i: mean(i)[:, :-1], tolerance=None)
    assert code(caught) == "E0822"


def test_another_shape_without_rows_is_found():
    def collapses(inputs):
        return mean(inputs) if len(inputs["clicks"]) else np.zeros((0, 4), dtype=np.float32)

    with pytest.raises(
        LegoError, match=r"\[0, 4\] .* `no_rows`, which asks for \[0, 8\]"
    ) as caught:
        compare(mean, collapses)
    assert code(caught) == "E0822"


def test_a_graph_that_fails_on_a_probe_is_a_located_error():
    def broken(inputs):
        if not len(inputs["clicks"]):
            raise RuntimeError("axis 0 of 0")
        return mean(inputs)

    with pytest.raises(LegoError, match=r"fails .*axis 0 of 0.* `no_rows`") as caught:
        compare(mean, broken)
    assert code(caught) == "E0822"


def test_torch_need_not_compute_anything_of_nothing():
    def refuses(inputs):
        assert len(inputs["clicks"])
        return mean(inputs)

    assert {figure.difference for figure in compare(refuses, mean)} == {0.0}


def graph_file(path, *, users=("user", WIDTH), op="Mul", domain="", doc=""):
    """A predictor's file with the right ports, or one thing wrong."""
    inputs = [
        helper.make_tensor_value_info("users", TensorProto.FLOAT, users),
        helper.make_tensor_value_info("items", TensorProto.FLOAT, ("pair", WIDTH)),
        helper.make_tensor_value_info("owner", TensorProto.INT64, ("pair",)),
    ]
    nodes = [
        helper.make_node("Gather", ["users", "owner"], ["mine"], doc_string=doc),
        helper.make_node(op, ["mine", "items"], ["product"], domain=domain),
        helper.make_node("ReduceSum", ["product", "axes"], ["scores"], keepdims=0),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [-1])
    graph = helper.make_graph(
        nodes,
        "predictor",
        inputs,
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ("pair",))],
        [axes],
    )
    opsets = [helper.make_opsetid("", 20)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), str(path))
    return path


def test_a_sound_file_passes(tmp_path):
    verify_file(graph_file(tmp_path / "g.onnx"), predictor_graph())


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"users": (3, WIDTH)}, "E0822"),
        ({"users": ("rows", WIDTH)}, "E0822"),
        ({"users": ("user", WIDTH + 1)}, "E0825"),
        ({"domain": "com.example"}, "E0825"),
        ({"op": "Mull"}, "E0825"),
        ({"doc": "from somewhere"}, "E0825"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, wrong, expected):
    with pytest.raises(LegoError) as caught:
        verify_file(graph_file(tmp_path / "g.onnx", **wrong), predictor_graph())
    assert code(caught) == expected


def test_a_path_of_this_machine_is_found_wherever_it_hides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = graph_file(tmp_path / "g.onnx")
    model = onnx.load(str(path))
    model.graph.name = f"{tmp_path}/model"
    onnx.save(model, str(path))
    with pytest.raises(LegoError, match="where it was made"):
        verify_file(path, predictor_graph())


def test_the_budget_counts_bytes_and_external_weights(tmp_path):
    path = graph_file(tmp_path / "predictor.onnx")
    size = path.stat().st_size
    verify_budget(path, None)
    verify_budget(path, size)
    (tmp_path / "predictor.onnx.data").write_bytes(b"x")
    with pytest.raises(LegoError, match=f"{size + 1:,} bytes") as caught:
        verify_budget(path, size)
    assert code(caught) == "E0826"
