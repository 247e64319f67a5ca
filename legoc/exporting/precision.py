"""Half precision and int8: how the weights of a float32 graph are stored that has passed its gates.

Weights alone are rounded, and engines unfold them to float32 when they load the graph. Activations
are not: with a range taken over a batch, and by rounding to coarse steps too, what a row gives
would depend on its neighbours (EXPORT section 7). A converted graph is judged by its shapes, by
finite numbers and by how much it changes the ranking, which the certificate records.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from legoc.exporting.labels import every_graph, save, strip
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Graph


if TYPE_CHECKING:
    import onnx_ir


LEAST = 64
"""Numbers of a weight below which storing it otherwise takes more bytes than it saves."""

STEPS = 127
RECURRENT = ("GRU", "LSTM", "RNN")


def convert(path: Path, precision: str, graph: Graph) -> int:
    """Rewrites the graph at `path` with weights stored in `fp16` or `int8`; it computes in float32,
    as its inputs and outputs are.

    Returns the number of weights that changed; 0 means that the graph has nothing to convert (an
    inner product has no weights) and stays as it is. Errors: E0828.
    """
    import onnx_ir

    model = onnx_ir.load(path)
    # The weights of a large graph are read from the file that is written next.
    onnx_ir.external_data.load_to_model(model)
    labels = dict(model.metadata_props)
    changed = 0
    for part in every_graph(model):
        for value in list(part.initializers.values()):
            axes = scaled_axes(value)
            if axes is not None:
                store(part, value, precision, axes, graph.name)
                changed += 1
    if not changed:
        return 0
    for old in (path, path.with_name(f"{path.name}.data")):
        old.unlink(missing_ok=True)
    strip(model)
    save(model, path, {**labels, "legoc.precision": precision})
    return changed


def scaled_axes(value: "onnx_ir.Value") -> tuple[int, ...] | None:
    """The axes of a weight that share a scale: those its reader sums over, or the numbers of a row
    where it looks rows up. None for what is no weight of a product, a recurrence or a table."""
    import onnx_ir

    weight = value.const_value
    if weight is None or weight.dtype != onnx_ir.DataType.FLOAT:
        return None
    rank = len(weight.shape)
    if rank < 2 or weight.size < LEAST or value.is_graph_output():
        return None
    found = (shared_axes(use.node, use.idx, rank) for use in value.uses())
    return next((axes for axes in found if axes is not None), None)


def shared_axes(node: "onnx_ir.Node", place: int, rank: int) -> tuple[int, ...] | None:
    rows = tuple(range(1, rank))
    match node.op_type, place:
        case "MatMul", (0 | 1):
            return (rank - 1,) if place == 0 else (rank - 2,)
        case "Gemm", (0 | 1):
            turned = node.attributes.get_int("transB" if place else "transA", 0)
            return (int(turned == place),)
        case "Gather", 0:
            return rows if node.attributes.get_int("axis", 0) == 0 else None
        case "Conv", 1:
            return rows
        case op, (1 | 2) if op in RECURRENT:
            return (rank - 1,)
        case _:
            return None


def store(
    part: Any, value: "onnx_ir.Value", precision: str, axes: tuple[int, ...], name: str
) -> None:  # fmt: skip
    """Puts the stored form of a weight in its place, with the operations that unfold it."""
    import onnx_ir

    weight = value.const_value
    assert weight is not None
    content = weight.numpy()
    uses = tuple(value.uses())
    kept, scale = (to_half(content, name), None) if precision == "fp16" else to_int8(content, axes)
    stored = initializer(part, f"{value.name}.{precision}", kept)
    nodes = [onnx_ir.node("Cast", [stored], {"to": onnx_ir.DataType.FLOAT})]
    if scale is not None:
        factor = initializer(part, f"{value.name}.scale", scale)
        nodes.append(onnx_ir.node("Mul", [nodes[0].outputs[0], factor]))
    for place, node in enumerate(nodes):
        node.outputs[0].name = f"{value.name}.unfolded{place}"
    for use in uses:
        use.node.replace_input_with(use.idx, nodes[-1].outputs[0])
    part.insert_before(part[0], nodes)
    del part.initializers[value.name]


def initializer(part: Any, name: str, content: NDArray[Any]) -> "onnx_ir.Value":
    import onnx_ir

    tensor = onnx_ir.tensor(np.ascontiguousarray(content), name=name)
    made = onnx_ir.Value(name=name, const_value=tensor)
    made.shape, made.type = onnx_ir.Shape(content.shape), onnx_ir.TensorType(tensor.dtype)
    part.register_initializer(made)
    return made


def to_half(weight: NDArray[np.float32], name: str) -> NDArray[np.float16]:
    """A weight in half precision, which has an end."""
    largest, limit = float(np.abs(weight).max()), float(np.finfo(np.float16).max)
    if largest > limit:
        raise fail(
            "E0828",
            f"`{name}` has a weight of {largest:,.0f}, and fp16 ends at {limit:,.0f}",
            "use `precision = int8` or `precision = fp32`",
        )
    return weight.astype(np.float16)


def to_int8(
    weight: NDArray[np.float32], axes: tuple[int, ...]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight as whole numbers of -127 to 127 and their scales, one for all numbers that differ in
    `axes` alone."""
    largest = np.abs(weight).max(axis=axes, keepdims=True)
    scale = np.where(largest > 0, largest / STEPS, 1).astype(np.float32)
    return np.rint(weight / scale).clip(-STEPS, STEPS).astype(np.int8), scale
