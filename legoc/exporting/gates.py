"""What a graph has to prove before it is written: EXPORT section 5.

Every gate raises an error that names the graph, the probe and the number.
"""

import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from legoc.exporting.finiteness import find_nan
from legoc.exporting.probes import Probe, Tensors
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Graph, Port


if TYPE_CHECKING:
    import onnx


TARGET = 1e-5
"""The difference that sound graphs stay below; the gate itself is `export.parity`."""
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
CONVERTED_DOMAINS = (*DOMAINS, "com.microsoft")

Run = Callable[[Tensors], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The difference of torch and onnxruntime on one probe; `largest` is max |torch|."""

    probe: str
    difference: float
    largest: float


def torch_run(call: nn.Module, graph: Graph) -> Run:
    """Runs a `GraphCall` on named numpy inputs."""

    def run(inputs: Tensors) -> NDArray[np.float32]:
        with torch.no_grad():
            given = (torch.from_numpy(np.ascontiguousarray(inputs[p.name])) for p in graph.inputs)
            return call(*given).numpy()

    return run


def relative_difference(reference: NDArray[Any], given: NDArray[Any]) -> float:
    """max |reference - given| / max(1, max |reference|); rounding grows with the numbers."""
    if reference.shape != given.shape:
        return float("inf")
    if not reference.size:
        return 0.0
    wide = reference.astype(np.float64)
    return float(np.abs(wide - given).max() / max(1.0, np.abs(wide).max()))


def compare_probes(
    graph: Graph, probes: Sequence[Probe], reference: Run, given: Run, *, tolerance: float | None
) -> tuple[Figure, ...]:
    """The figure of every probe. Errors: E0822 where `given` fails or its output has another shape
    than declared, E0824 where a number is not finite, E0823 above the tolerance (None: only the
    shape of a converted graph counts), E0827 where padding shows."""
    figures: list[Figure] = []
    for probe in probes:
        shape = declared_shape(graph, probe.inputs)
        # Torch refuses some operations on nothing, whose result is known.
        expected = reference(probe.inputs) if all(shape) else np.zeros(shape, dtype=np.float32)
        found = run_probe(graph, probe, given, shape)
        for engine, values in (("torch", expected), ("onnxruntime", found)):
            verify_finite(graph, probe.name, engine, values)
        figures.append(
            Figure(
                probe=probe.name,
                difference=relative_difference(expected, found),
                largest=float(np.abs(expected).max(initial=0.0)),
            )
        )
        verify_difference(graph, figures[-1], tolerance)
        if probe.twin is not None and tolerance is not None:
            verify_padding(graph, probe, reference, expected, "torch", tolerance)
            verify_padding(graph, probe, given, found, "onnxruntime", tolerance)
    return tuple(figures)


def declared_shape(graph: Graph, inputs: Tensors) -> tuple[int, ...]:
    """The shape of the output that a graph declares for some inputs."""
    sizes = {
        dim: size
        for port in graph.inputs
        for dim, size in zip(port.dims, inputs[port.name].shape, strict=True)
    }
    return tuple(dim if isinstance(dim, int) else sizes[dim] for dim in graph.outputs[0].dims)


def run_probe(
    graph: Graph, probe: Probe, run: Run, shape: tuple[int, ...]
) -> NDArray[np.float32]:  # fmt: skip
    """What onnxruntime makes of a probe, in the shape that the graph declares."""
    try:
        found = run(probe.inputs)
    except Exception as error:  # onnxruntime's exceptions have no common base class
        found, reason = None, f"fails in onnxruntime ({str(error).strip()[-200:]})"
    else:
        reason = f"gives {list(found.shape)} in onnxruntime"
    if found is None or found.shape != shape:
        raise fail(
            "E0822",
            f"`{graph.name}` {reason} on the probe `{probe.name}`, which asks for {list(shape)}",
            "let sizes come from the inputs, and count the axes of reductions from the front",
        )
    return found


def verify_finite(graph: Graph, probe: str, engine: str, values: NDArray[Any]) -> None:
    broken = int(np.size(values) - np.isfinite(values).sum())
    if broken:
        raise fail(
            "E0824",
            f"`{graph.name}` gives {broken} of {np.size(values)} numbers that are not finite in "
            f"{engine} on the probe `{probe}`",
            "look for a division or softmax over an empty row, or for weights that diverged",
        )


def verify_difference(graph: Graph, figure: Figure, tolerance: float | None) -> None:
    limit = np.inf if tolerance is None else tolerance
    if not (np.isfinite(figure.difference) and figure.difference <= limit):
        raise fail(
            "E0823",
            f"`{graph.name}` differs from torch by {figure.difference:.2e} on the probe "
            f"`{figure.probe}`, above {limit:.0e}",
            "rewrite the operator with the export-safe subset, or raise `parity` of the export",
        )


def verify_padding(
    graph: Graph, probe: Probe, run: Run, found: NDArray[Any], engine: str, tolerance: float
) -> None:
    assert probe.twin is not None
    difference = relative_difference(run(probe.twin), found)
    if difference > tolerance:
        raise fail(
            "E0827",
            f"`{graph.name}` changes by {difference:.2e} in {engine} with what stands at padding",
            "mask what the operator sums, pools or attends to",
        )


def verify_file(path: Path, graph: Graph, *, converted: bool = False) -> None:
    """The gates that need no run: a valid standard graph with exactly the plan's ports, that knows
    nothing of the machine it was made on. Errors: E0825, E0824, E0822."""
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = str(error).strip().splitlines()[0][:300]
        raise fail(
            "E0825",
            f"the ONNX checker refuses `{graph.name}`: {reason}",
            "use the versions of constraints.txt, and report it if they are in use",
        ) from error
    model = onnx.load(str(path), load_external_data=False)
    domains = {node.domain for node in every_node(model)} - set(
        CONVERTED_DOMAINS if converted else DOMAINS
    )
    if domains:
        raise fail(
            "E0825",
            f"`{graph.name}` has operators of the domain `{min(domains)}`, which is not standard",
            "use the versions of constraints.txt, and report it if they are in use",
        )
    nan = find_nan(model)
    if nan is not None:
        raise fail(
            "E0824",
            f"`{graph.name}` has a weight `{nan}` with something that is no number",
            "train again with a smaller `lr` or `clip`, and export that run",
        )
    verify_ports(model, graph)
    verify_stripped(model, path, graph)


def every_node(model: "onnx.ModelProto") -> Sequence["onnx.NodeProto"]:
    found: list[onnx.NodeProto] = []
    waiting: list[Any] = [model.graph, *model.functions]
    while waiting:
        for node in waiting.pop().node:
            found.append(node)
            for attribute in node.attribute:
                waiting.extend([attribute.g] if attribute.HasField("g") else attribute.graphs)
    return found


def verify_ports(model: "onnx.ModelProto", graph: Graph) -> None:
    for side, values, ports in (
        ("input", model.graph.input, graph.inputs),
        ("output", model.graph.output, graph.outputs),
    ):
        found = tuple(read_port(value) for value in values)
        if found == ports:
            continue
        wrong = next((p for p, f in zip(ports, found, strict=False) if p != f), None)
        raise fail(
            "E0822",
            f"`{graph.name}` declares the {side}s {describe(found)}, not {describe(ports)}",
            f"look for a size taken from an example in what computes `{wrong.name}`"
            if wrong is not None
            else f"let the graph have {len(ports)} {side}s",
        )


def read_port(value: "onnx.ValueInfoProto") -> Port:
    import onnx

    types = {
        onnx.TensorProto.INT64: "int64", onnx.TensorProto.BOOL: "bool",
        onnx.TensorProto.FLOAT: "float32",
    }  # fmt: skip
    tensor = value.type.tensor_type
    dims = tuple(d.dim_param or d.dim_value for d in tensor.shape.dim)
    other: Any = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    return Port(name=value.name, dtype=types.get(tensor.elem_type, other), dims=dims)


def describe(ports: Sequence[Port]) -> str:
    return ", ".join(f"{p.name} {p.dtype}[{', '.join(map(str, p.dims))}]" for p in ports) or "none"


def private_paths() -> tuple[bytes, ...]:
    """Places of this machine that must not be found in a file that travels."""
    roots = [Path.home(), Path.cwd(), Path(__file__).parents[2], Path(sys.prefix)]
    roots += [Path(path) for path in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"))]
    # Shorter ones, such as `/`, occur in weights by chance.
    return tuple({os.fsencode(root) + b"/" for root in roots if len(str(root)) >= 5})


def verify_stripped(model: "onnx.ModelProto", path: Path, graph: Graph) -> None:
    texts = [model.doc_string, model.graph.doc_string]
    for part in (*every_node(model), *model.graph.initializer, *model.graph.value_info):
        texts += [part.doc_string, *(prop.value for prop in part.metadata_props)]
    texts += [prop.key for prop in model.metadata_props if not prop.key.startswith("legoc.")]
    data = path.read_bytes()
    found = next((private for private in private_paths() if private in data), None)
    if any(texts) or found is not None:
        what = repr(next(filter(None, texts), os.fsdecode(found or b"")))
        raise fail(
            "E0825",
            f"`{graph.name}` carries text of where it was made: {what[:120]}",
            "use the versions of constraints.txt, and report it if they are in use",
        )


def verify_budget(path: Path, budget: int | None) -> None:
    """E0826 where the predictor and its external weights have more bytes than the export allows."""
    size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
    if budget is not None and size > budget:
        raise fail(
            "E0826",
            f"`predictor` has {size:,} bytes, above the budget of {budget:,}",
            f"make the predictor smaller, choose `precision = int8`, or set `budget = {size}`",
        )


def worst(figures: Sequence[Figure]) -> Figure:
    return max(figures, key=lambda figure: figure.difference)


def figures_json(figures: Sequence[Figure]) -> Mapping[str, object]:
    top = worst(figures)
    return {
        "probes": {figure.probe: figure.difference for figure in figures},
        "difference": top.difference,
        "worst": top.probe,
        "largest": max(figure.largest for figure in figures),
    }
