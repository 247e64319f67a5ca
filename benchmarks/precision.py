"""Ways to store and multiply the weights of an item encoder in int8: MiniLM-L6 with its published
weights on the titles of the embedded data.

What is measured: items per CPU second in blocks and one by one, bytes, how near the vectors are to
those of float32, and how far the vector of an item depends on the block it is encoded in.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.language_models import FULL, open_way
from benchmarks.ratio import show, take_turns
from legoc.exporting.engine import feed, onnx_run
from legoc.exporting.graph_files import write_graph
from legoc.exporting.graphs import reference_copy
from legoc.exporting.precision import convert
from legoc.language.ir.plan import Graph, plan
from legoc_runtime.chunks import by_length


ITEMS = 512
SINGLE = 48
BLOCK = 128  # columns that share a scale in onnxruntime's own product


def run() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        measure(Path(place))


def measure(folder: Path) -> None:
    spec, prepared, model = open_way(folder, FULL)
    graph = plan(spec).graph("item_encoder")
    assert graph is not None
    exact = folder / "float32.onnx"
    write_graph(reference_copy(model.eval()), graph, spec, prepared.rows, exact, {})
    paths = {"float32": exact}
    for name, way in WAYS.items():
        paths[name] = folder / f"{name.replace(' ', '_')}.onnx"
        way(exact, paths[name], graph)
    runs = {name: onnx_run(path, graph) for name, path in paths.items()}
    rows = np.arange(1, ITEMS + 1, dtype=np.int32)
    lengths = prepared.inputs.lengths[rows]

    def blocks(run: Any) -> NDArray[np.float32]:
        """The vectors of the items in blocks of like length, as the runtime encodes them."""
        found = np.zeros((len(rows), graph.outputs[0].dims[-1]), dtype=np.float32)
        for chosen in by_length(lengths):
            found[chosen] = run(feed(prepared.inputs.rows(rows[chosen])))
        return found

    def singly(run: Any, count: int = ITEMS) -> NDArray[np.float32]:
        return np.concatenate(
            [run(feed(prepared.inputs.rows(rows[i : i + 1]))) for i in range(count)]
        )

    work = {name: (ITEMS, lambda run=run: blocks(run)) for name, run in runs.items()}
    show("items encoded in blocks of 128", take_turns(work, "items", turns=3), "float32")
    work = {name: (SINGLE, lambda run=run: singly(run, SINGLE)) for name, run in runs.items()}
    show("items encoded one by one", take_turns(work, "items", turns=3), "float32")
    print("\nbytes, nearness to float32, and what the block of an item changes in its vector")
    wanted = blocks(runs["float32"])
    for name, run in runs.items():
        together, alone = blocks(run), singly(run)
        moved = np.abs(together - alone).max(axis=1) / np.abs(together).max(axis=1)
        print(
            f"  {name:<22} {paths[name].stat().st_size / exact.stat().st_size:.2f} of the bytes, "
            f"cosine {cosines(wanted, together).min():.4f} at least; largest change "
            f"{moved.max():.0e}, above 1e-4 in {(moved > 1e-4).sum()} of {ITEMS} items"
        )


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / lengths


def weights_alone(source: Path, target: Path, graph: Graph) -> None:
    shutil.copyfile(source, target)
    convert(target, "int8", graph)


def range_of_batch(source: Path, target: Path, graph: Graph) -> None:
    """onnxruntime's dynamic quantisation: activations in whole numbers too, with one range for all
    rows of a call."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it recommends steps on every graph
    model = onnx.load(str(source))
    del model.graph.value_info[:]
    given = target.with_suffix(".given.onnx")
    onnx.save(model, str(given))
    quantize_dynamic(
        given, target, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
        weight_type=QuantType.QInt8,
    )  # fmt: skip


def range_of_row(source: Path, target: Path, graph: Graph) -> None:
    """The same with a range for each row, written out in standard operations."""

    def product(x: str, weight: NDArray[np.float32], out: str, name: str) -> Any:
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-30) / 127
        held = {
            "weight": np.rint(weight / scale).astype(np.int8),
            "scale": (scale / 127).astype(np.float32), "least": np.float32(1e-30),
            "steps": np.float32(127), "middle": np.float32(128), "zero": np.uint8(128),
            "last": np.array([-1]),
        }  # fmt: skip
        steps = [
            ("Abs", [x], "size"), ("ReduceMax", [".size", ".last"], "most"),
            ("Max", [".most", ".least"], "range"), ("Div", [".steps", ".range"], "factor"),
            ("Mul", [x, ".factor"], "scaled"), ("Round", [".scaled"], "whole"),
            ("Add", [".whole", ".middle"], "moved"), ("Cast:2", [".moved"], "bytes"),
            ("MatMulInteger", [".bytes", ".weight", ".zero"], "sums"),
            ("Cast:1", [".sums"], "floats"), ("Mul", [".floats", ".range"], "ranged"),
            ("Mul", [".ranged", ".scale"], out),
        ]  # fmt: skip
        return held, steps

    replace_products(source, target, product)


def blocks_of_weights(source: Path, target: Path, graph: Graph) -> None:
    """onnxruntime's own product of float32 with int8 weights, whose kernels round the activations
    of each row in blocks."""

    def product(x: str, weight: NDArray[np.float32], out: str, name: str) -> Any:
        rows, columns = weight.shape
        count = -(-rows // BLOCK)
        padded = np.zeros((columns, count * BLOCK), dtype=np.float32)
        padded[:, :rows] = weight.T
        split = padded.reshape(columns, count, BLOCK)
        scale = np.maximum(np.abs(split).max(axis=-1), 1e-30) / 127
        whole = (np.rint(split / scale[..., None]) + 128).astype(np.uint8)
        held = {"weight": whole, "scale": scale.astype(np.float32).reshape(-1)}
        return held, [(f"MatMulNBits:{rows},{columns}", [x, ".weight", ".scale"], out)]

    replace_products(source, target, product)


WAYS: dict[str, Callable[[Path, Path, Graph], None]] = {
    "weights alone (int8)": weights_alone,
    "a range per batch": range_of_batch,
    "a range per row": range_of_row,
    "MatMulNBits": blocks_of_weights,
}


def replace_products(source: Path, target: Path, product: Callable[..., Any]) -> None:
    """Writes a graph in which other operations stand for each product with a matrix of weights.
    Names that begin with a dot belong to one product."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(source))
    held = {w.name: w for w in model.graph.initializer}
    nodes: list[Any] = []
    for number, node in enumerate(model.graph.node):
        if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in held:
            nodes.append(node)
            continue
        weight = numpy_helper.to_array(held[node.input[1]])
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        bias = [name for name in node.input[2:] if name]
        out = ".product" if bias else node.output[0]
        added, steps = product(node.input[0], weight.T if turned else weight, out, node.name)
        full = {f".{name}": f"product{number}.{name}" for name in added}
        for name, content in added.items():
            model.graph.initializer.append(
                numpy_helper.from_array(np.asarray(content), full[f".{name}"])
            )
        for op, inputs, output in steps:
            if not output.startswith(".") and output != node.output[0]:
                output = f".{output}"
            full.setdefault(output, f"product{number}{output}" if output[0] == "." else output)
            nodes.append(make(op, [full.get(i, i) for i in inputs], full[output]))
        if bias:
            nodes.append(helper.make_node("Add", [full[".product"], *bias], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [w for w in model.graph.initializer if w.name in used]
    del model.graph.initializer[:], model.graph.value_info[:]
    model.graph.initializer.extend(kept)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))


def make(op: str, inputs: list[str], output: str) -> Any:
    """A node; what it is called may carry a type or sizes behind a colon."""
    from onnx import helper

    name, _, more = op.partition(":")
    if name == "Cast":
        return helper.make_node(name, inputs, [output], to=int(more))
    if name == "ReduceMax":
        return helper.make_node(name, inputs, [output], keepdims=1)
    if name == "MatMulNBits":
        rows, columns = map(int, more.split(","))
        return helper.make_node(
            name, inputs, [output], domain="com.microsoft", K=rows, N=columns, bits=8,
            block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip
    return helper.make_node(name, inputs, [output])
