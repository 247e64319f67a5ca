"""Names in exported graphs: those of the plan outside, others inside that can never be the same.

Attributes may have any name, and each is the name of an input: `cat` is also what torch calls the
result of a concatenation. So a graph is exported and converted under names of no meaning, and gets
those of the plan last.
"""

from typing import TYPE_CHECKING, Any

from legoc.exporting.labels import every_graph
from legoc.language.ir.plan import Graph, Port


if TYPE_CHECKING:
    import onnx_ir


def plain_graph(graph: Graph) -> Graph:
    """The same graph with ports and dimensions numbered through."""
    dims: dict[str, str] = {}

    def plain(port: Port, name: str) -> Port:
        numbered = (
            dims.setdefault(dim, f"legoc_size_{len(dims)}") if isinstance(dim, str) else dim
            for dim in port.dims
        )
        return Port(name=name, dtype=port.dtype, dims=tuple(numbered))

    inputs = tuple(plain(port, f"legoc_input_{i}") for i, port in enumerate(graph.inputs))
    outputs = tuple(plain(port, f"legoc_output_{i}") for i, port in enumerate(graph.outputs))
    return Graph(name=graph.name, inputs=inputs, outputs=outputs)


def name_ports(model: "onnx_ir.Model", graph: Graph) -> None:
    """Gives the inputs and outputs of a graph the names of the plan, whatever theirs are, and every
    name inside a prefix that no port has."""
    import onnx_ir

    ports = (*graph.inputs, *graph.outputs)
    prefix = free_prefix(ports)
    outer = (*model.graph.inputs, *model.graph.outputs)
    if len(outer) != len(ports):
        return  # the gate says which ports there are
    declared = {id(value) for value in outer}
    for part in every_graph(model):
        for value in (*part.inputs, *part.initializers.values(), *inner_values(part)):
            if id(value) not in declared:
                value.name = with_prefix(value.name, prefix)
        for node in part:
            node.name = with_prefix(node.name, prefix)
    dims: dict[Any, int | str] = {}
    for value, port in zip(outer, ports, strict=True):
        value.name = port.name
        sizes = [size if isinstance(size, int) else size.value for size in value.shape]
        # One name for two dimensions of the plan keeps that of the first, and the gate is red.
        for size, dim in zip(sizes, port.dims, strict=False):
            if isinstance(size, str):
                dims.setdefault(size, dim)
        value.shape = onnx_ir.Shape([dims.get(size, size) for size in sizes])


def inner_values(part: Any) -> list[Any]:
    return [value for node in part for value in node.outputs]


def free_prefix(ports: tuple[Port, ...]) -> str:
    prefix = "inner."
    while any(port.name.startswith(prefix) for port in ports):
        prefix = f".{prefix}"
    return prefix


def with_prefix(name: str | None, prefix: str) -> str | None:
    return name if not name or name.startswith(prefix) else prefix + name
