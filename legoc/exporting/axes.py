"""Axes of exported operations, counted from the front.

A reduction over a negative axis of an empty input reduces nothing in onnxruntime: the scores of no
pairs come out as `[0, 64]`. Where the rank is known the axis is written from the front.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.exporting.labels import every_graph


if TYPE_CHECKING:
    import onnx
    import onnx_ir


NAMES = ("axis", "axes")


def count_axes_forward(model: "onnx_ir.Model") -> None:
    """Rewrites every negative axis of a graph whose operand has a known rank, those that an
    operation has by default included."""
    for graph in every_graph(model):
        for node in graph:
            if node.domain not in ("", "ai.onnx"):
                continue
            schema = find_schema(node, model)
            rewrite_attributes(node, schema)
            rewrite_inputs(node, schema, graph)


def find_schema(node: "onnx_ir.Node", model: "onnx_ir.Model") -> "onnx.defs.OpSchema":
    import onnx

    return onnx.defs.get_schema(node.op_type, model.opset_imports[""], "")


def rewrite_attributes(node: "onnx_ir.Node", schema: "onnx.defs.OpSchema") -> None:
    import onnx_ir

    for name in NAMES:
        if name not in schema.attributes:
            continue
        given = node.attributes.get(name)
        values = read_attribute(given, schema.attributes[name])
        forward = count_forward(node, values)
        if forward is not None and forward != values:
            one = schema.attributes[name].type.name == "INT"
            node.attributes[name] = (
                onnx_ir.AttrInt64(name, forward[0]) if one else onnx_ir.AttrInt64s(name, forward)
            )


def read_attribute(given: Any, declared: Any) -> list[int]:
    """The axes of an attribute, or those of its default; none where it has neither."""
    if given is not None:
        return [given.as_int()] if given.type.name == "INT" else list(given.as_ints())
    default = declared.default_value
    if default.name and declared.type.name == "INT":
        return [default.i]
    return list(default.ints)


def rewrite_inputs(node: "onnx_ir.Node", schema: "onnx.defs.OpSchema", graph: Any) -> None:
    import onnx_ir

    for place, declared in enumerate(schema.inputs):
        if declared.name not in NAMES or place >= len(node.inputs):
            continue
        value = node.inputs[place]
        constant = None if value is None else onnx_ir.convenience.get_const_tensor(value)
        if value is None or constant is None:
            continue
        axes = constant.numpy()
        values = [int(axis) for axis in axes.reshape(-1)]
        forward = count_forward(node, values)
        if forward is None or forward == values:
            continue
        name = free_name(graph, f"{value.name}_forward")
        changed = np.array(forward, dtype=axes.dtype).reshape(axes.shape)
        fresh = onnx_ir.Value(name=name, const_value=onnx_ir.tensor(changed, name=name))
        fresh.shape, fresh.type = onnx_ir.Shape(changed.shape), value.type
        graph.register_initializer(fresh)
        node.replace_input_with(place, fresh)


def count_forward(node: "onnx_ir.Node", axes: list[int]) -> list[int] | None:
    """The same axes counted from the front; None where the rank they count from is not known."""
    if all(axis >= 0 for axis in axes):
        return axes
    operand = node.inputs[0]
    if operand is None or operand.shape is None or node.op_type in ("ConcatFromSequence",):
        return None
    rank = len(operand.shape) + {"Unsqueeze": len(axes), "OneHot": 1}.get(node.op_type, 0)
    return [axis + rank if axis < 0 else axis for axis in axes]


def free_name(graph: Any, wanted: str) -> str:
    """A name that no initializer has."""
    return next(name for name in numbered(wanted) if name not in graph.initializers)


def numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"
