"""What an exported graph says about itself: nothing of the machine that made it, and our labels.

Raw exports carry stack traces with absolute paths in every node, so two checkouts give two files.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    import onnx_ir


LARGE = 3 << 29
"""Bytes of weights from which a graph no longer fits one protocol message with room to spare."""

SMALL = 256
"""Bytes of a weight that stays in the graph even then."""


def strip(model: "onnx_ir.Model") -> None:
    """Clears documentation and metadata of the model, its graphs and every node, value and
    initializer, and forgets the shapes of inner values, which may be stale."""
    model.doc_string = None
    model.metadata_props.clear()
    model.producer_name, model.producer_version = "legoc", None
    for graph in every_graph(model):
        graph.doc_string = None
        graph.metadata_props.clear()
        declared = {id(value) for value in (*graph.inputs, *graph.outputs)}
        for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
            value.doc_string = None
            value.metadata_props.clear()
            if value.const_value is not None:
                value.const_value.metadata_props.clear()
                # Tensors of a loaded graph cannot be changed; those were stripped before.
                if value.const_value.doc_string:
                    value.const_value.doc_string = None
        for node in graph:
            node.doc_string = None
            node.metadata_props.clear()
            for value in node.outputs:
                value.doc_string = None
                value.metadata_props.clear()
                if id(value) not in declared:
                    value.shape = None
                    value.type = None


def every_graph(model: "onnx_ir.Model") -> Iterator[Any]:
    """The graph, the bodies of its functions, and the graphs within both."""
    waiting: list[Any] = [model.graph, *(function.graph for function in model.functions.values())]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph:
            for attribute in node.attributes.values():
                if attribute.type.name == "GRAPH":
                    waiting.append(attribute.as_graph())
                elif attribute.type.name == "GRAPHS":
                    waiting.extend(attribute.as_graphs())


def save(model: "onnx_ir.Model", path: Path, labels: Mapping[str, str]) -> None:
    """Writes a stripped graph with labels, in key order, and freshly inferred inner shapes. Above
    `LARGE` the weights lie beside it in `<name>.onnx.data`."""
    import onnx
    import onnx_ir

    model.metadata_props.update(dict(sorted(labels.items())))
    if weight_bytes(model) > LARGE:
        onnx_ir.save(model, path, external_data=f"{path.name}.data", size_threshold_bytes=SMALL)
        onnx.shape_inference.infer_shapes_path(str(path), str(path))
        return
    proto = onnx.shape_inference.infer_shapes(onnx_ir.to_proto(model))
    path.write_bytes(proto.SerializeToString(deterministic=True))


def weight_bytes(model: "onnx_ir.Model") -> int:
    weights = (value.const_value for value in model.graph.initializers.values())
    return sum(weight.nbytes for weight in weights if weight is not None)
