"""What is known to be wrong with an export before any data is read: E0801 to E0805.

The limits themselves are looked up where they come from: onnxruntime, NumPy, the gate that judges
differences, and the predictors as they are built.
"""

import math

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from legoc.data.indexing.rows import Rows
from legoc.exporting.gates import relative_difference
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.document import Document
from legoc.language.ir.form import from_json, to_json
from legoc.language.ir.spec import Call
from legoc.language.typing.exports import BLIND, BYTES, LATEST_OPSET, RESOLUTION, weights
from legoc.language.typing.wording_export import write_size
from legoc.model import compile
from tests.language.declared import CATALOG
from tests.language.specs import checked, codes, spec_of


def exported(settings: str, *, model: str = "predict Dot", more: str = "") -> str:
    return (
        "data demo { source = Demo  content = [title(30), category] }\n"
        f"export edge {{ {settings} }}\n"
        f"model m = content CNN -> behavior Additive -> {model}\n"
        f"run m on demo as edge {more}\n"
    )


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (f"opset = {LATEST_OPSET}", None),
        (f"opset = {LATEST_OPSET + 1}", "E0801"),
        ("opset = 17", "E0305"),
        (f"parity = {RESOLUTION!r}", None),
        (f"parity = {math.nextafter(RESOLUTION, 0)!r}", "E0802"),
        ("parity = 0", "E0802"),
        ("parity = 0.999", None),
        ("parity = 1", "E0803"),
        ("parity = 1.0", "E0803"),
        ("parity = -1", "E0305"),
        ("keep = [category, title]", None),
        ("keep = [categry]", "E0835"),
        ("keep = []", None),
    ],
)
def test_the_limits_of_a_setting(settings: str, code: str | None) -> None:
    assert codes(exported(settings)) == ([] if code is None else [code])


def test_two_settings_are_two_messages() -> None:
    assert sorted(codes(exported("opset = 90  parity = 3"))) == ["E0801", "E0803"]


def test_a_setting_is_judged_wherever_it_is_given() -> None:
    assert codes(exported("opset = 20"), "export.opset=27") == ["E0801"]
    assert codes(exported("opset = 20").replace("as edge", "as edge(parity=2)")) == ["E0803"]
    spare = exported("opset = 27").replace(" as edge", "")
    assert sorted(codes(spare)) == ["E0801", "W101"]


def identity(opset: int) -> bytes:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:]
    )
    opsets = [helper.make_opsetid("", opset)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return model.SerializeToString()


def test_the_latest_operator_set_is_the_latest_that_onnxruntime_reads() -> None:
    onnxruntime.InferenceSession(identity(LATEST_OPSET), providers=["CPUExecutionProvider"])
    with pytest.raises(Exception, match="opset"):
        onnxruntime.InferenceSession(identity(LATEST_OPSET + 1), providers=["CPUExecutionProvider"])


def test_the_resolution_is_that_of_float32() -> None:
    assert np.float64(np.finfo(np.float32).eps) == RESOLUTION
    one = np.ones(3, dtype=np.float32)
    assert relative_difference(one, np.nextafter(one, np.float32(2))) == RESOLUTION


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_graph_of_zeros_passes_every_blind_parity(scale: float) -> None:
    found = scale * np.random.default_rng(3).standard_normal(100).astype(np.float32)
    assert relative_difference(found, np.zeros_like(found)) <= BLIND
    assert relative_difference(np.ones(1), np.zeros(1)) == BLIND


DENSE = [d for d in catalog().role("predict") if d.facts.get("dense")]


def test_every_predictor_with_layers_says_so() -> None:
    layered = {d.name for d in catalog().role("predict") if any(map(d.param, ("units", "first")))}
    assert layered == {d.name for d in DENSE}


@pytest.mark.parametrize("declaration", DENSE, ids=lambda d: d.name)
@pytest.mark.parametrize("units", [(24, 16, 8), (6,)])
def test_a_predictor_has_at_least_the_weights_between_its_layers(
    declaration: Declaration, units: tuple[int, ...]
) -> None:
    names = declaration.facts["dense"]
    given = ", ".join(f"{name}={list(units)}" for name in names)
    clicks = "(Seq" in str(declaration.signature)
    heads = ", heads=2" if declaration.param("heads") else ""
    text = (
        "data d { source = Demo }\ntrain t { task = ranking }\n"
        f"model m = content Null(hidden=4) -> behavior {'Null' if clicks else 'Pooling'} "
        f"-> predict {declaration.name}({given}{heads})\nrun m on d with t\n"
    )
    found = check(Document("m.lego", text))
    assert not found.errors, found.errors
    module = compile(found.specs[0]).build(Rows(items=3, users=0, tokens=0)).predict
    inner = {(one, other) for one, other in zip(units[1:], units, strict=False)}
    matrices = [tuple(p.shape) for p in module.parameters() if p.ndim == 2]
    assert inner <= set(matrices)
    assert sum(p.numel() for p in module.parameters()) >= len(names) * weights(units)


def test_weights_between_layers() -> None:
    assert weights((3, 5, 7)) == 15 + 35
    assert weights((9,)) == weights(()) == weights(None) == 0


@pytest.mark.parametrize("precision", BYTES)
def test_a_budget_is_judged_by_the_bytes_of_a_weight(precision: str) -> None:
    size = {"fp32": 4, "fp16": 2, "int8": 1}[precision]
    model = "predict DNN(units=[64, 32, 64])"
    fits = f"budget = {64 * 32 * 2 * size // 1024}KiB  precision = {precision}"
    assert codes(exported(fits, model=model)) == []
    above = f"budget = {64 * 32 * 2 * size // 1024 - 1}KiB  precision = {precision}"
    assert codes(exported(above, model=model)) == ["E0804"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("tolerate = NDCG(10, loss=0.001)", None),
        ("tolerate = GAUC(loss=1)", None),
        ("tolerate = none", None),
        ("precision = fp32  tolerate = NDCG(10, loss=0.001)", None),
        ("precision = fp16  tolerate = NDCG(10, loss=0.001)", "E0806"),
        ("precision = int8  tolerate = none", None),
        ("tolerate = ECE(loss=0.1)", "E0807"),
        ("tolerate = NDGC(10, loss=0.001)", "E0206"),
        ("tolerate = NDCG(10)", "E0304"),
        ("tolerate = NDCG(loss=0.001)", "E0304"),
        ("tolerate = NDCG(10, loss=0)", "E0305"),
        ("tolerate = NDCG(10, loss=-1)", "E0305"),
        ("tolerate = NDCG(0, loss=1)", "E0305"),
        ('tolerate = NDCG(10, loss="1")', "E0303"),
        ("tolerate = NDCG(10, lose=1)", "E0302"),
        ("tolerate = 0.001", "E0303"),
    ],
)
def test_what_is_tolerated_is_a_metric_and_its_loss(settings: str, code: str | None) -> None:
    assert codes(exported(settings)) == ([] if code is None else [code])


def test_what_is_tolerated_stands_in_the_file_and_the_spec_and_changes_no_key() -> None:
    (spec,) = checked(exported("tolerate = NDCG(10, loss=0.001)")).specs
    assert spec.export.tolerate == Call(op="NDCG", args={"k": 10, "loss": 0.001})
    assert from_json(to_json(spec), known=CATALOG).export == spec.export
    assert "  tolerate = NDCG(k=10, loss=0.001)\n" in spec.source_text
    assert codes(spec.source_text) == []
    (plain,) = checked(exported("opset = 20")).specs
    assert spec.keys == plain.keys
    older = to_json(plain)
    del older["export"]["tolerate"]
    assert from_json(older, known=CATALOG).export == plain.export


def test_a_budget_under_a_tolerance_is_that_of_the_fewest_bytes() -> None:
    model = "predict DNN(units=[64, 32, 64])"
    size = 64 * 32 * 2 // 1024
    told = "tolerate = GAUC(loss=0.1)"
    assert codes(exported(f"budget = {size}KiB  {told}", model=model)) == []
    assert codes(exported(f"budget = {size - 1}KiB  {told}", model=model)) == ["E0804"]


def test_usual_layers_count_and_a_predictor_without_layers_fits_everywhere() -> None:
    assert codes(exported("budget = 2MiB", model="predict DNN")) == ["E0804"]
    assert codes(exported("budget = 1KiB", model="predict Dot")) == []


def test_a_run_where_valid_drops_what_is_above_its_budget() -> None:
    text = exported("budget = 64KiB", model="predict in [Dot, DNN]", more="where valid")
    found = checked(text)
    assert not found.errors
    assert found.dropped == {"E0804": 1}
    assert [spec.model["predict"].op for spec in found.specs] == ["Dot"]
    assert codes(text.replace("where valid", "")) == ["E0804"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "0.1KiB"), (1024, "1KiB"), (8_000_000, "7.7MiB"), (1024**2, "1024KiB"),
     (3 * 1024**3, "3GiB"), (2_000_000, "2MiB")],
)  # fmt: skip
def test_a_size_is_written_rounded_up(count: int, text: str) -> None:
    assert write_size(count) == text


def test_an_export_in_two_ways_needs_two_runs() -> None:
    swept = exported("precision in [fp32, int8]")
    assert codes(swept) == ["E0805"]
    assert codes(swept, "train.lr=0.01") == ["E0805"]
    two = exported("precision = int8") + "run other = m on demo\n"
    assert codes(two) == []


def test_an_export_that_is_swept_together_with_the_model_is_no_clash() -> None:
    text = exported("budget = 1MiB", model="predict in [Dot, DNN(units=[8])]")
    assert codes(text) == []
    text = "param size in [8, 16]\n" + exported("opset = 20").replace("CNN", "CNN(hidden=$size)")
    assert codes(text) == []
    # One setting moves with the model, so that no two points differ in it alone.
    moved = text.replace("$size", "$opset").replace(
        "param size in [8, 16]", "param opset in [18, 20]"
    )
    assert codes(moved.replace("opset = 20", "opset = $opset")) == []


def test_settings_of_an_export_are_no_part_of_the_digest() -> None:
    specs = [spec_of(exported(f"opset = {opset}")) for opset in (18, 20)]
    assert specs[0].keys == specs[1].keys
    assert specs[0].export != specs[1].export
