"""Every declared operator exports, and its graph equals torch on every probe within the target."""

import shutil

import numpy as np
import pytest

from legoc.data.indexing.rows import Rows
from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import TARGET, relative_difference, verify_file, worst
from legoc.exporting.graph_files import write_graph
from legoc.exporting.graphs import reference_copy
from legoc.exporting.precision import convert
from legoc.language.declaring.catalog import catalog
from legoc.language.ir.counted import counted_spec, is_asked, is_counted
from legoc.language.ir.plan import plan
from legoc.model import compile
from tests.exporting.test_precision import check_rows
from tests.exporting.tiny import call, make_spec


ROWS = Rows(items=12, users=4, tokens=30)
VARIANTS = {
    ("content", "CNN"): ({}, {"fuse": "concat"}, {"fuse": "tokens"}, {"kernel": 5}),
    ("content", "Pooling"): ({}, {"kind": "max"}),
    ("content", "Attention"): ({}, {"project": False}),
    ("content", "SemanticID"): ({"file": None},),
    ("behavior", "Attention"): ({}, {"project": False}),
    ("behavior", "LSTUR"): ({}, {"form": "con"}),
    ("flatten", "Transformer"): ({}, {"item_sep": False}),
    ("flatten", "Longformer"): ({"window": 4}, {"window": 4, "item_sep": True}),
    ("behavior", "Pooling"): ({}, {"kind": "max"}),
    ("predict", "Cosine"): ({}, {"temperature": 0.2}),
    ("predict", "DCNv2"): ({}, {"structure": "stacked"}, {"structure": "stacked_parallel"}),
    ("predict", "DCNMix"): ({}, {"structure": "stacked_parallel"}, {"experts": 1}),
    ("predict", "GDCN"): ({}, {"structure": "stacked"}),
    ("predict", "AutoInt"): ({}, {"units": (), "scale": True}),
    ("predict", "MaskNet"): ({}, {"structure": "parallel"}),
    ("predict", "FinalMLP"): ({}, {"context": "learned", "heads": 1}),
    ("predict", "DNN"): ({}, {"batch_norm": True}),
    ("predict", "PNN"): (
        {},
        {"form": "factorised", "batch_norm": True},
        {"form": "factorised", "units": ()},
        {"form": "outer"},
    ),
    ("predict", "DIN"): ({}, {"softmax": True}),
    ("predict", "BST"): ({}, {"pool": "candidate", "batch_norm": True}),
    ("predict", "MINER"): ({}, {"score": "max"}, {"score": "mean"}),
}
GRAPH = {
    "content": "item_encoder", "behavior": "user_encoder", "flatten": "user_encoder",
    "predict": "predictor",
}  # fmt: skip
# Items that are rows of a table, and clicks handed through, have no graph.
WITHOUT = ("Null", "SemanticID")


def bricks():
    for role in GRAPH:
        for declaration in catalog().role(role):
            if declaration.pretrained or "Prefix" in declaration.signature:
                continue  # needs a folder: tests/lm
            if is_asked(declaration):
                continue  # nothing of it is here
            for given in VARIANTS.get((role, declaration.name), ({},)):
                yield pytest.param(
                    role, declaration.name, given, id=f"{role}-{declaration.name}-{given}"
                )


def spec_of(role, name, given):
    """The brick among partners it fits: a predictor that reads clicks has no user encoder, and one
    that is counted no partner at all."""
    if role == "predict" and is_counted(catalog().get(role, name)):
        partners = {"content": call("content", "Pooling"), "behavior": call("behavior", "Pooling")}
        return counted_spec(make_spec(**partners, predict=call("predict", "Dot")), call(role, name))
    chosen = {
        "content": call("content", "Pooling"),
        "behavior": call("behavior", "Pooling"),
        "predict": call("predict", "Dot"),
    }
    chosen[role] = call(role, name, **given)
    if role == "flatten":
        del chosen["behavior"]
    signature = catalog().get("predict", chosen["predict"].op).signature
    if "Seq[" in signature:
        chosen["behavior"] = call("behavior", "Null")
    elif "Many[" in signature:
        chosen["behavior"] = call("behavior", "PolyAttention", codes=3)
    elif role == "behavior" and name == "Null":
        chosen["predict"] = call("predict", "DIN")
    return make_spec(**chosen)


@pytest.mark.parametrize(("role", "name", "given"), list(bricks()))
def test_a_brick_exports_and_agrees(role, name, given, tmp_path):
    spec = spec_of(role, name, given)
    made = plan(spec)
    graph = made.graph(GRAPH[role])
    if graph is None:
        assert name in WITHOUT
        return
    reference = reference_copy(compile(spec).build(ROWS))
    written = write_graph(reference, graph, spec, ROWS, tmp_path / "graph.onnx", {})
    found = worst(written.figures)
    assert found.difference < TARGET, found
    # Fresh embeddings are small, and so are their vectors; a graph of zeros would prove nothing.
    assert max(figure.largest for figure in written.figures) > 1e-3
    empty = {"no_pairs", "no_users"} if role == "predict" else {"no_rows"}
    assert empty < {figure.probe for figure in written.figures}
    probes = {probe.name: probe.inputs for probe in written.probes}
    masks = [port for port in graph.inputs if port.dtype == "bool"]
    check_precisions(written, tmp_path)
    if masks:
        check_no_positions(graph, written.run, probes["all_empty"])


def check_precisions(written, tmp_path):
    """Rows do not see each other in any precision, and rounding weights changes them little."""
    graph, path = written.graph, tmp_path / "converted.onnx"
    # More rows than pad a kernel's block: 9 of an encoder, 7 pairs of 3 users.
    inputs = written.probes[0 if graph.name == "predictor" else 1].inputs
    check_rows(graph, written.run, inputs)
    for precision, most in (("fp16", 0.005), ("int8", 0.05)):
        shutil.copyfile(written.path, path)
        convert(path, precision, graph)
        verify_file(path, graph)
        run = onnx_run(path, graph)
        check_rows(graph, run, inputs)
        assert relative_difference(written.run(inputs), run(inputs)) < most


def check_no_positions(graph, run, inputs):
    """No clicks and no tokens are the same as one of each that is masked."""
    found = []
    for length in (0, 1):
        given = dict(inputs)
        for port in graph.inputs:
            dynamic = [axis for axis, dim in enumerate(port.dims) if isinstance(dim, str)][1:]
            for axis in dynamic:
                given[port.name] = given[port.name].take(np.arange(length), axis=axis)
        found.append(run(given))
    np.testing.assert_array_equal(*found)
