"""The Open Inference Protocol, version 2: the graphs of a bundle as models of a server.

Numbers travel as JSON, or behind it as raw bytes (the extension `binary_tensor_data`).
"""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import verify_range
from legoc_runtime.ids import shown
from legoc_runtime.manifest import Graph, Port
from legoc_runtime.model import Model
from legoc_runtime.profiles import PORT
from legoc_runtime.serving.answers import Refused, read_json, write_json


HEADER = "inference-header-content-length"
TYPES: Mapping[str, tuple[str, Any]] = {
    "int64": ("INT64", np.dtype("<i8")),
    "bool": ("BOOL", np.dtype(np.bool_)),
    "float32": ("FP32", np.dtype("<f4")),
}
Array = NDArray[Any]


def describe_server(version: str) -> dict[str, Any]:
    return {"name": "legoc", "version": version, "extensions": ["binary_tensor_data"]}


def find_graph(model: Model, name: str) -> Graph:
    """The graph that is served under a name; Refused with 404 for another."""
    graphs = model.bundle.parts.graphs
    if name not in graphs:
        raise Refused(404, f"there is no model `{name}`", f"the models are {', '.join(graphs)}")
    return graphs[name]


def describe_graph(graph: Graph) -> dict[str, Any]:
    def ports(given: tuple[Port, ...]) -> list[dict[str, Any]]:
        return [
            {"name": port.name, "datatype": TYPES[port.dtype][0],
             "shape": [dim if isinstance(dim, int) else -1 for dim in port.dims]}
            for port in given
        ]  # fmt: skip

    return {
        "name": graph.name, "versions": ["1"], "platform": "onnxruntime_onnx",
        "inputs": ports(graph.inputs), "outputs": ports(graph.outputs),
    }  # fmt: skip


def infer(model: Model, name: str, body: bytes, header: str | None) -> tuple[bytes, str | None]:
    """Run a graph. header: how many bytes of the body are JSON, where raw ones follow. The body of
    the answer, and the same of it."""
    graph = find_graph(model, name)
    size = len(body) if header is None else read_size(header, len(body))
    given, rest = read_json(body[:size]), memoryview(body)[size:]
    arrays = read_inputs(graph, given.get("inputs"), rest)
    verify_places(model, graph, arrays)
    (port,) = graph.outputs
    parameters = {**read_parameters(given), **read_output(given.get("outputs"), port)}
    output = model.graphs.run(name, arrays)
    binary = parameters.get("binary_data", parameters.get("binary_data_output", False))
    told: dict[str, Any] = {
        "name": port.name,
        "datatype": TYPES[port.dtype][0],
        "shape": list(output.shape),
    }
    raw = b""
    if binary:
        raw = np.ascontiguousarray(output, dtype=TYPES[port.dtype][1]).tobytes()
        told["parameters"] = {"binary_data_size": len(raw)}
    else:
        told["data"] = output.ravel().tolist()
    answer = {"model_name": name, "model_version": "1", "outputs": [told]}
    if "id" in given:
        answer["id"] = str(given["id"])
    text = write_json(answer)
    return text + raw, str(len(text)) if binary else None


def read_parameters(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `parameters` of a request, an input or an output."""
    found = given.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RequestError(f"the parameters are {shown(found)}", "give an object")
    return cast("Mapping[str, Any]", found)


def read_output(asked: object, port: Port) -> Mapping[str, Any]:
    """The parameters of the one output that may be asked for."""
    if asked is None or asked == []:
        return {}
    given = cast("list[object]", asked) if isinstance(asked, list) else []
    one = given[0] if len(given) == 1 else None
    if not isinstance(one, Mapping) or one.get("name") != port.name:
        raise RequestError(f"the outputs are {shown(asked)}", f"the one output is `{port.name}`")
    return read_parameters(cast("Mapping[str, Any]", one))


def read_size(header: str, most: int) -> int:
    if not (header.isascii() and header.isdecimal() and int(header) <= most):
        raise Refused(400, f"{HEADER} is {header!r}", f"the request has {most} bytes")
    return int(header)


def read_inputs(graph: Graph, given: object, rest: memoryview) -> dict[str, Array]:
    """The inputs of a request by name, of the shapes that the graph reads."""
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise RequestError("there are no `inputs`", "give a list with one object per input")
    known = {port.name: port for port in graph.inputs}
    found: dict[str, Array] = {}
    at = 0
    for each in given:
        port = known.get(str(each.get("name")))
        if port is None or port.name in found:
            raise RequestError(
                f"the inputs are not those of `{graph.name}`: {shown(each.get('name'))}",
                f"give each of {', '.join(known)} once",
            )
        found[port.name], at = read_input(port, each, rest, at)
    missing = known.keys() - found.keys()
    if missing:
        raise RequestError(f"`{graph.name}` reads {sorted(missing)[0]} too", "give it as well")
    if at != len(rest):
        raise RequestError(f"{len(rest) - at} bytes belong to no input", "say `binary_data_size`")
    sizes: dict[str, int] = {}
    for port in graph.inputs:
        for dim, size in zip(port.dims, found[port.name].shape, strict=True):
            if isinstance(dim, str) and sizes.setdefault(dim, size) != size:
                raise RequestError(
                    f"`{dim}` is {size} in `{port.name}` and {sizes[dim]} elsewhere",
                    "give tensors of one size",
                )
    return found


def read_input(
    port: Port, given: Mapping[str, Any], rest: memoryview, at: int
) -> tuple[Array, int]:
    """One input, and where the raw bytes of the next begin."""
    name, kind = TYPES[port.dtype]
    type_, shape = given.get("datatype"), cast("list[int]", given.get("shape"))
    fits = (
        isinstance(given.get("shape"), list) and len(shape) == len(port.dims)
        and all(type(size) is int and size >= 1 for size in shape)
        and all(isinstance(dim, str) or dim == size
                for dim, size in zip(port.dims, shape, strict=True))
    )  # fmt: skip
    if not fits or type_ != name:
        wanted = [dim if isinstance(dim, int) else -1 for dim in port.dims]
        raise RequestError(
            f"`{port.name}` is {shown(type_)} of the shape {shown(shape)}",
            f"it is {name} of the shape {wanted}, no dimension of which is 0",
        )
    count = math.prod(shape)
    size = read_parameters(given).get("binary_data_size")
    if size is not None:
        if type(size) is not int or size != count * kind.itemsize or at + size > len(rest):
            raise RequestError(
                f"`{port.name}` has {shown(size)} bytes", f"{count * kind.itemsize} make its shape"
            )
        values: Array = np.frombuffer(rest[at : at + size], dtype=kind)
        return values.reshape(shape), at + size
    data = given.get("data")
    try:
        values = np.array(json_numbers(data), dtype=kind)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(f"the data of `{port.name}` is no list of numbers", "give one") from None
    if values.size != count:
        raise RequestError(f"`{port.name}` has {values.size} numbers", f"{count} make its shape")
    return values.reshape(shape), at


def json_numbers(data: Any) -> list[Any]:
    """The numbers of a list, or of lists in lists, end to end."""
    if not isinstance(data, list):
        raise TypeError
    flat: list[Any] = []
    stack = [iter(data)]
    while stack:
        for each in stack[-1]:
            if isinstance(each, list):
                stack.append(iter(each))
                break
            flat.append(each)
        else:
            stack.pop()
    return flat


def verify_places(model: Model, graph: Graph, arrays: Mapping[str, Array]) -> None:
    """Every number that is a row has one: -1 would silently be the last."""
    parts = model.bundle.parts
    for port in graph.inputs:
        if port.dtype != "int64":
            continue
        if port.name == "owner":
            rows = len(arrays["users"])
        elif port.name == "user":
            rows = 1 + max(model.users.values(), default=0)
        else:
            reading = parts.reading
            if graph.name == "user_encoder" and port.name.startswith(PORT) and parts.profile:
                reading = parts.profile.reading
            rows = int((reading or {}).get("rows", 0))
        verify_range(port.name, arrays[port.name], rows)
