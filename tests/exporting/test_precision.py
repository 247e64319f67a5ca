"""fp16 and int8 are really smaller graphs that compute nearly the same, row by row."""

import shutil

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
import torch

from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import compare_probes, torch_run, verify_file, worst
from legoc.exporting.graphs import GraphCall, reference_copy
from legoc.exporting.precision import LEAST, convert, to_int8
from legoc.exporting.probes import make_probes
from legoc.language.diagnosing.diagnostics import LegoError
from tests.exporting.small_models import GRAPHS, ROWS, SPEC, Small, item_graph
from tests.exporting.test_gates import graph_file, predictor_graph


def weights(path):
    return {w.name: onnx.numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_a_converted_graph_keeps_its_ports_and_nearly_its_numbers(
    folder, tmp_path, graph, precision
):
    path = tmp_path / f"{graph.name}.onnx"
    shutil.copyfile(folder / path.name, path)
    changed = convert(path, precision, graph)
    verify_file(path, graph)
    labels = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    assert (labels["legoc.role"], labels["legoc.precision"]) == (graph.name, precision)
    figures = compare_probes(
        graph,
        make_probes(graph, SPEC, ROWS),
        torch_run(GraphCall(reference_copy(Small()), graph), graph),
        onnx_run(path, graph),
        tolerance=None,
    )
    assert 1e-6 < worst(figures).difference < (0.001 if precision == "fp16" else 0.02)
    # The embedding and a Linear; both matrices of the GRU; the hidden layer of the predictor.
    assert changed == {"item_encoder": 2, "user_encoder": 2, "predictor": 1}[graph.name]
    found = weights(path).values()
    small = [w for w in found if w.dtype == (np.float16 if precision == "fp16" else np.int8)]
    assert len(small) == changed
    assert all(w.size < LEAST for w in found if w.dtype == np.float32)


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_it_computes_in_float32_with_the_rounded_weights(folder, tmp_path, graph, precision):
    """The same model with weights rounded in NumPy, in torch."""
    path = tmp_path / f"{graph.name}.onnx"
    shutil.copyfile(folder / path.name, path)
    convert(path, precision, graph)
    rounded = Small()
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.dim() == 2 and weight.numel() >= LEAST:
                weight.copy_(torch.from_numpy(round_rows(weight.numpy(), precision)))
    given = make_probes(graph, SPEC, ROWS)[1].inputs
    wanted = torch_run(GraphCall(reference_copy(rounded), graph), graph)(given)
    np.testing.assert_allclose(onnx_run(path, graph)(given), wanted, rtol=1e-5, atol=1e-6)


def round_rows(weight, precision):
    """Every row of a Linear, of a GRU and of an embedding has a scale of its own."""
    if precision == "fp16":
        return weight.astype(np.float16).astype(np.float32)
    rows = []
    for row in weight:
        step = np.float32(max(abs(row)) / 127)
        rows.append([step * np.float32(round(float(value / step))) for value in row])
    return np.array(rows, dtype=np.float32)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_a_row_does_not_depend_on_its_neighbours(folder, tmp_path, graph, precision):
    """Neighbours that are a thousand times as large, or none."""
    path = tmp_path / f"{graph.name}.onnx"
    shutil.copyfile(folder / path.name, path)
    if precision != "fp32":
        convert(path, precision, graph)
    check_rows(graph, onnx_run(path, graph), make_probes(graph, SPEC, ROWS)[1].inputs)


def check_rows(graph, run, inputs):
    """Products of one row and of several are summed in other orders, and nothing else differs."""
    together = run(inputs)
    bound = {"rtol": 2e-6, "atol": 2e-6 * max(1.0, float(np.abs(together).max()))}
    loud = {
        name: np.concatenate([a, a * 1000]) if a.dtype == np.float32 else np.concatenate([a, a])
        for name, a in inputs.items()
    }
    np.testing.assert_allclose(run(loud)[: len(together)], together, **bound)
    for row in range(len(together)):
        # A pair is alone beside all users, who are none of its neighbours.
        whole = {port.name for port in graph.inputs if port.dims[0] != graph.outputs[0].dims[0]}
        alone = {n: a if n in whole else a[row : row + 1] for n, a in inputs.items()}
        np.testing.assert_allclose(run(alone), together[row : row + 1], **bound)


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


def test_a_scale_is_that_of_the_largest_number_and_zeros_stay():
    weight = np.array([[0, 0, 0], [1, -2, 0.5], [1e-38, 0, 0]], dtype=np.float32)
    kept, scale = to_int8(weight, (1,))
    assert kept.tolist() == [[0, 0, 0], [64, -127, 32], [127, 0, 0]]
    np.testing.assert_allclose(kept * scale, weight, atol=2 / 127 / 2)
    assert np.isfinite(scale).all()


def loaded(nodes, shapes, contents):
    """A model of nodes written by hand."""
    graph = onnx.helper.make_graph(
        nodes,
        "predictor",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shapes[0])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shapes[1])],
        [onnx.numpy_helper.from_array(content, name) for name, content in contents.items()],
    )
    opset = onnx.helper.make_opsetid("", 20)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)


@pytest.mark.parametrize(
    ("op", "attributes", "inputs", "shape", "axes"),
    [
        ("MatMul", {}, ["x", "w"], (8, 9), (0,)),
        ("MatMul", {}, ["w", "x"], (9, 8), (1,)),
        ("MatMul", {}, ["x", "w"], (3, 8, 9), (1,)),
        ("Gemm", {"transB": 1}, ["x", "w"], (9, 8), (1,)),
        ("Gemm", {"transB": 0}, ["x", "w"], (8, 9), (0,)),
        ("Gemm", {"transA": 1}, ["w", "x"], (8, 9), (0,)),
    ],
)
def test_a_scale_belongs_to_a_number_of_the_output(op, attributes, inputs, shape, axes, tmp_path):
    """Whatever the form of the product, each sum's own weights share a scale."""
    random = np.random.default_rng(4)
    sums = [1 if axis in axes else size for axis, size in enumerate(shape)]
    w = (random.normal(size=shape) * np.exp(4 * random.normal(size=sums))).astype(np.float32)
    x = random.normal(size=(8, 8)).astype(np.float32)
    node = onnx.helper.make_node(op, inputs, ["y"], **attributes)
    path = tmp_path / "graph.onnx"
    onnx.save(loaded([node], ([8, 8], None), {"w": w}), str(path))
    assert convert(path, "int8", predictor_graph()) == 1
    found = weights(path)
    unfolded = found["w.int8"] * found["w.scale"]
    step = np.abs(w).max(axis=axes, keepdims=True) / 127
    assert (np.abs(unfolded - w) <= 0.501 * step).all()
    left, right = (x, unfolded) if inputs[0] == "x" else (unfolded, x)
    left = left.T if "transA" in attributes else left
    right = right.T if attributes.get("transB") else right
    (made,) = onnxruntime.InferenceSession(str(path)).run(None, {"x": x})
    np.testing.assert_allclose(made, left @ right, rtol=1e-4, atol=1e-4 * np.abs(w).max())


def test_a_weight_beyond_half_precision_is_a_located_error(folder, tmp_path):
    path = tmp_path / "graph.onnx"
    shutil.copyfile(folder / "item_encoder.onnx", path)
    model = onnx_ir.load(path)
    weight = next(v for v in model.graph.initializers.values() if v.name.endswith("mix.weight"))
    weight.const_value = onnx_ir.tensor(weight.const_value.numpy() * 1e6, name=weight.name)
    onnx_ir.save(model, path)
    with pytest.raises(LegoError, match=r"`item_encoder` has a weight of .* 65,504") as caught:
        convert(path, "fp16", item_graph())
    assert caught.value.diagnostics[0].code == "E0828"
    assert convert(path, "int8", item_graph()) == 2


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_a_graph_above_the_limit_of_a_message_is_converted_by_its_files(
    kind, folder, tmp_path, monkeypatch
):
    from legoc.exporting import labels

    graph = item_graph()
    plain, large = tmp_path / "plain.onnx", tmp_path / "large.onnx"
    for path in (plain, large):
        shutil.copyfile(folder / "item_encoder.onnx", path)
    convert(plain, kind, graph)
    monkeypatch.setattr(labels, "LARGE", 300)
    monkeypatch.setattr(labels, "SMALL", 100)
    model = onnx_ir.load(large)
    large.unlink()
    labels.save(model, large, {})
    assert (tmp_path / "large.onnx.data").stat().st_size > 600

    def too_large(*_given):
        raise AssertionError("a message of more than 2 GiB")

    monkeypatch.setattr(onnx.ModelProto, "ByteSize", too_large, raising=False)
    convert(large, kind, graph)
    assert 0 < (tmp_path / "large.onnx.data").stat().st_size < 600
    probe = make_probes(graph, SPEC, ROWS)[0].inputs
    np.testing.assert_array_equal(onnx_run(large, graph)(probe), onnx_run(plain, graph)(probe))
