"""Graphs that keep their declared shapes when there is no row at all.

onnxruntime ends the process where a GRU or LSTM has an empty batch, or where a Reshape has to infer
a size of nothing, and refuses the product of nothing with a stack of weights. So a graph that was
given no row computes one of zeros, and its output is cut back to none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.exporting.labels import every_graph
from legoc.language.ir.plan import Graph, Port


if TYPE_CHECKING:
    import onnx_ir


SOUND = frozenset(
    {
        "Abs", "Add", "And", "BatchNormalization", "Cast", "Clip", "Concat", "Div", "Equal", "Erf",
        "Exp", "Gather", "Gelu", "Gemm", "Greater", "GreaterOrEqual", "Identity",
        "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg",
        "Not", "Or", "PRelu", "Pow", "ReduceL2",
        "ReduceSum", "Relu", "Sigmoid", "Softmax", "Sqrt", "Squeeze", "Sub", "Tanh", "Unsqueeze",
        "Where",
    }
)  # fmt: skip
"""Operations that make nothing of nothing, in the right shape: a graph of these alone needs no
guard, and pays for none."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of one named dimension, and 1 where that is 0: both I64[1]."""

    count: Any
    missing: Any
    nodes: tuple[Any, ...]


def guard_emptiness(model: "onnx_ir.Model", graph: Graph) -> None:
    """Adds the guard to a graph as it was exported, unless it is of `SOUND` operations alone. It
    covers every named dimension: of no clicks and no tokens is made one that is masked."""
    if all(is_sound(node) for part in every_graph(model) for node in part):
        return
    inner = model.graph
    first = inner[0]
    # Before the guard reads the inputs itself.
    readers = [tuple(value.uses()) for value in inner.inputs]
    sizes: dict[str, Size] = {}
    for value, port in zip(inner.inputs, graph.inputs, strict=True):
        for axis, dim in enumerate(port.dims):
            if isinstance(dim, str) and dim not in sizes:
                sizes[dim] = measure(inner, value, axis)
    added = [node for size in sizes.values() for node in size.nodes]
    for value, port, uses in zip(inner.inputs, graph.inputs, readers, strict=True):
        nodes = extend(inner, value, port, sizes)
        for use in uses:
            use.node.replace_input_with(use.idx, nodes[-1].outputs[0])
        added += nodes
    inner.insert_before(first, added)
    cut_back(inner, sizes[str(graph.outputs[0].dims[0])].count)


def is_sound(node: Any) -> bool:
    """Whether an operation is `SOUND`; a product with one matrix of weights and a Reshape to one
    axis are too."""
    import onnx_ir

    if node.op_type in ("MatMul", "Reshape") and node.inputs[1] is not None:
        given = onnx_ir.convenience.get_const_tensor(node.inputs[1])
        if given is None:
            return False
        if node.op_type == "MatMul":
            return len(given.shape) <= 2
        return given.numpy().tolist() == [-1]
    return node.op_type in SOUND


def measure(inner: Any, value: Any, axis: int) -> Size:
    import onnx_ir

    shape = onnx_ir.node("Shape", [value], {"start": axis, "end": axis + 1})
    empty = onnx_ir.node("Equal", [shape.outputs[0], integers(inner, 0)])
    missing = onnx_ir.node("Cast", [empty.outputs[0]], {"to": onnx_ir.DataType.INT64})
    return Size(
        count=shape.outputs[0], missing=missing.outputs[0], nodes=(shape, empty, missing)
    )  # fmt: skip


def extend(inner: Any, value: Any, port: Port, sizes: Mapping[str, Size]) -> list[Any]:
    """The nodes that make an input one longer in every named dimension that is 0."""
    import onnx_ir

    axes = [axis for axis, dim in enumerate(port.dims) if isinstance(dim, str)]
    before = integers(inner, *[0] * len(axes))
    after = [sizes[str(port.dims[axis])].missing for axis in axes]
    pads = onnx_ir.node("Concat", [before, *after], {"axis": 0})
    zero = constant(inner, f"zero_{value.dtype}", np.zeros((), dtype=value.dtype.numpy()))
    given = [value, pads.outputs[0], zero, integers(inner, *axes)]
    return [pads, onnx_ir.node("Pad", given)]


def cut_back(inner: Any, count: Any) -> None:
    """Puts the output without an added row in the place of the output."""
    import onnx_ir

    value, start = inner.outputs[0], integers(inner, 0)
    node = onnx_ir.node("Slice", [value, start, count, start])
    made = node.outputs[0]
    made.name, value.name = value.name, f"{value.name}_extended"
    made.shape, made.type = value.shape, value.type
    inner.append(node)
    inner.outputs[0] = made


def integers(inner: Any, *numbers: int) -> Any:
    name = "guard_" + "_".join(map(str, numbers))
    return constant(inner, name, np.array(numbers, dtype=np.int64))


def constant(inner: Any, name: str, content: Any) -> Any:
    """An initializer of a graph, made where there is none of this name."""
    import onnx_ir

    if name not in inner.initializers:
        tensor = onnx_ir.tensor(content, name=name)
        made = onnx_ir.Value(name=name, const_value=tensor)
        made.shape, made.type = onnx_ir.Shape(content.shape), onnx_ir.TensorType(tensor.dtype)
        inner.register_initializer(made)
    return inner.initializers[name]
