"""Attributes may have any name, and no name inside a graph is one of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest

import legoc_runtime
from legoc.data.reading.file_stems import file_stem
from legoc.exporting import verify_bundle, write_bundle
from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import verify_file
from legoc.exporting.graphs import emit_graph, reference_copy
from legoc.exporting.labels import save, strip
from legoc.exporting.naming import name_ports, plain_graph
from legoc.exporting.precision import convert
from legoc.exporting.probes import make_probes
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.plan import Graph
from legoc.language.ir.plan import item_graph as plan_item_graph
from legoc.language.ir.spec import Export
from tests.exporting.small_models import GRAPHS, ROWS, SPEC, Small, item_graph
from tests.exporting.tiny import call, make, make_spec, records


ODD = (
    "Product Title", "标题", "a/b", "..", "con", "Title", "title:token_seq", 'say "so"',
    "back\\slash",
    "new\nline", "é", "e\u0301", "x" * 300, "item_tokens", "inner.cat", "__metadata__", "users",
)  # fmt: skip
"""Names that columns have, and names that file systems and formats stumble over."""


def renamed(graph: Graph, names: dict[str, str]) -> Graph:
    """A graph whose inputs, with masks and dimensions, have other names."""

    def change(text):
        for old, new in names.items():
            for end in ("", "_mask", "_tokens"):
                if text == old + end:
                    return new + end
        return text

    ports = tuple(
        replace(
            p,
            name=change(p.name),
            dims=tuple(change(d) if isinstance(d, str) else d for d in p.dims),
        )
        for p in graph.inputs
    )
    return replace(graph, inputs=ports)


def names_inside(model: onnx.ModelProto) -> set[str]:
    outside = {value.name for value in (*model.graph.input, *model.graph.output)}
    found = {name for node in model.graph.node for name in (*node.output, node.name)}
    return (found | {weight.name for weight in model.graph.initializer}) - outside - {""}


@pytest.fixture(scope="module")
def inner_names(folder) -> list[str]:
    """What torch calls the values of the small model's graphs, and the plan their ports."""
    found = set[str]()
    for graph in GRAPHS:
        inside = names_inside(onnx.load(str(folder / f"{graph.name}.onnx")))
        assert {name[: len("inner.")] for name in inside} == {"inner."}
        found |= {name.removeprefix("inner.") for name in inside} | inside
        found |= {port.name for port in (*graph.inputs, *graph.outputs)}
    assert {"linear", "embedding", "cat", "relu"} < found
    return sorted(found)


def check_names(path: Path, graph: Graph, wanted: np.ndarray) -> None:
    verify_file(path, graph, converted=True)
    outside = {port.name for port in (*graph.inputs, *graph.outputs)}
    assert not names_inside(onnx.load(str(path))) & outside
    given = make_probes(item_graph(), SPEC, ROWS)[0].inputs
    inputs = {
        port.name: given[old.name]
        for port, old in zip(graph.inputs, item_graph().inputs, strict=True)
    }
    np.testing.assert_array_equal(onnx_run(path, graph)(inputs), wanted)


def test_every_name_of_a_graph_may_be_that_of_an_attribute(folder, tmp_path, inner_names):
    given = make_probes(item_graph(), SPEC, ROWS)[0].inputs
    wanted = onnx_run(folder / "item_encoder.onnx", item_graph())(given)
    for name in (*inner_names, *ODD):
        if name in ("vectors", "category", "category_mask"):
            continue  # the plan calls the output otherwise; the graph's other attribute
        graph = renamed(item_graph(), {"title": name})
        model = onnx_ir.load(folder / "item_encoder.onnx")
        name_ports(model, plain_graph(item_graph()))
        name_ports(model, graph)
        save(model, tmp_path / "graph.onnx", {})
        check_names(tmp_path / "graph.onnx", graph, wanted)


@pytest.mark.parametrize(
    ("name", "precision"),
    [("cat", "fp32"), ("标题", "int8"), ("a/b", "fp16"), ("legoc_input_1", "fp32")],
)
def test_a_graph_is_exported_and_converted_with_any_name(name, precision, tmp_path):
    graph = renamed(item_graph(), {"title": name, "category": "graph_output_cast0"})
    model = emit_graph(reference_copy(Renamed(name)), graph, opset=20)
    strip(model)
    save(model, tmp_path / "graph.onnx", {})
    verify_file(tmp_path / "graph.onnx", graph)
    if precision != "fp32":
        assert convert(tmp_path / "graph.onnx", precision, graph)
        verify_file(tmp_path / "graph.onnx", graph, converted=True)
    assert onnx.load(str(tmp_path / "graph.onnx")).graph.input[0].name == name


class Renamed(Small):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def encode_items(self, inputs):
        back = {self.name: "title", "graph_output_cast0": "category"}
        ends = [(f"{n}{e}", f"{o}{e}") for n, o in back.items() for e in ("", "_mask")]
        return super().encode_items({old: inputs[new] for new, old in ends})


def test_the_output_gives_way_to_an_attribute_of_its_name():
    attributes = (
        Attribute(name="vectors", kind="text", length=9),
        Attribute(name="vectors_", kind="category", length=1),
    )
    graph = plan_item_graph(make_spec(attributes=attributes), "fields", 8)
    assert [port.name for port in graph.outputs] == ["vectors__"]
    assert plan_item_graph(make_spec(), "fields", 8).outputs[0].name == "vectors"


@pytest.mark.parametrize(
    ("one", "other", "precision"),
    [
        ("vectors", "users", "fp32"), ("cat", "CAT", "int8"), ("user/owner", "states", "fp32"),
        ("tokens", 'say "so"', "fp16"),
    ],
)  # fmt: skip
def test_a_bundle_of_attributes_with_odd_names(one, other, precision, tmp_path):
    attributes = (
        Attribute(name=one, kind="text", length=9), Attribute(name=other, kind="category", length=1)
    )  # fmt: skip
    spec = make_spec(
        call("content", "CNN"), call("behavior", "Pooling"), call("predict", "Dot"),
        attributes=attributes, export=Export(precision=precision),
    )  # fmt: skip
    tiny = make(spec, tmp_path / "data")
    bundle = write_bundle(
        tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, tmp_path / "bundle"
    )
    assert (bundle.path / f"vocabularies/{file_stem(other)}.json").is_file()
    verify_bundle(bundle.path)
    model = legoc_runtime.load(bundle.path)
    names = [port.name for port in model.bundle.parts.graphs["item_encoder"].inputs]
    assert names == [one, f"{one}_mask", other, f"{other}_mask"]
    model.items.add([{**record, "id": f"X{i}"} for i, record in enumerate(records(attributes))])
    np.testing.assert_array_equal(model.items.vectors[:11], model.items.vectors[11:])


def test_stems_of_files_are_safe_and_differ_on_every_file_system():
    names = [
        *ODD,
        "title",
        "category",
        "CON",
        "aux",
        "COM1",
        "a.b",
        "a b",
        "A/B",
        "",
        "nul.txt",
        "\ud800",
    ]
    stems = [file_stem(name) for name in names]
    assert len({stem.lower() for stem in stems}) == len(names)
    for stem in stems:
        assert stem.replace("-", "").replace("_", "").isalnum()
        assert stem.isascii()
        assert stem == stem.lower()
        assert len(stem) < 80
        assert stem.split("-")[0] not in ("users",) or "-" in stem
        assert stem not in ("con", "aux", "com1", "nul", "users")
    assert [file_stem(name) for name in ("title", "sub_category2")] == ["title", "sub_category2"]
