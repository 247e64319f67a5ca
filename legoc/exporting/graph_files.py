"""The graphs of a model as proved files: emit, strip, save, gate, convert where that is asked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from legoc.data.indexing.rows import Rows
from legoc.exporting.alone import emit_alone
from legoc.exporting.contents import digest
from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import (
    Figure,
    Run,
    compare_probes,
    figures_json,
    torch_run,
    verify_budget,
    verify_file,
)
from legoc.exporting.graphs import GraphCall, emit_graph, remembers_dispatch
from legoc.exporting.labels import save, strip
from legoc.exporting.precision import convert
from legoc.exporting.probes import Probe, longest_sizes, make_probes
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.plan import Graph, Plan
from legoc.language.ir.spec import Spec
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    import onnx_ir


@dataclass(frozen=True, kw_only=True)
class GraphFile:
    """One written graph. figures: of the float32 graph over all probes; converted: those of the
    graph in its final `precision`, with the number of weights the conversion changed."""

    graph: Graph
    path: Path
    probes: tuple[Probe, ...]
    reference: Run
    run: Run
    figures: tuple[Figure, ...]
    precision: str = "fp32"
    converted: tuple[Figure, ...] = ()
    changed: int = 0

    @property
    def parts(self) -> list[Path]:
        """The file of the graph and those of weights beside it."""
        return sorted(self.path.parent.glob(f"{self.path.name}*"))

    @property
    def bytes(self) -> int:
        return sum(part.stat().st_size for part in self.parts)

    def certificate(self, real: Figure | None) -> dict[str, Any]:
        """The entry of this graph in the certificate."""
        found: dict[str, Any] = {
            **figures_json(self.figures),
            "real": None if real is None else real.difference,
            "bytes": self.path.stat().st_size,
            "sha256": digest(self.path),
        }
        if self.precision != "fp32":
            found["converted"] = {**figures_json(self.converted), "changed": self.changed}
        return found


def write_graphs(
    reference: nn.Module,
    spec: Spec,
    plan: Plan,
    rows: Rows,
    folder: Path,
    *,
    labels: Mapping[str, str],
    progress: Progress = SILENT,
) -> dict[str, GraphFile]:
    """Every graph of the plan as `onnx/<graph>.onnx` below `folder`, all gates passed.

    reference: from `reference_copy`. With `export.tolerate` they are float32 still, and the budget
    is that of what is chosen then. Errors: E0820 to E0828, and nothing is to be kept then.
    """
    place = folder / "onnx"
    place.mkdir(parents=True)
    written: dict[str, GraphFile] = {}
    with progress.task("export", len(plan.graphs), "graphs") as task:
        for graph in plan.graphs:
            written[graph.name] = write_graph(
                reference, graph, spec, rows, place / f"{graph.name}.onnx", labels
            )
            task.advance(1, graph.name)
    if spec.export.tolerate is None:
        verify_budget(written["predictor"].path, spec.export.budget)
    return written


def write_graph(
    reference: nn.Module, graph: Graph, spec: Spec, rows: Rows, path: Path,
    labels: Mapping[str, str],
) -> GraphFile:  # fmt: skip
    model = emit(reference, graph, spec, rows)
    strip(model)
    save(model, path, {**labels, **describe_graph(graph, spec, rows)})
    verify_file(path, graph)
    probes = make_probes(graph, spec, rows)
    expected, run = torch_run(GraphCall(reference, graph), graph), onnx_run(path, graph)
    figures = compare_probes(graph, probes, expected, run, tolerance=spec.export.parity)
    made = GraphFile(
        graph=graph, path=path, probes=probes, reference=expected, run=run, figures=figures
    )
    precision = spec.export.precision
    return made if precision == "fp32" else write_converted(made, precision)


def write_converted(made: GraphFile, precision: str) -> GraphFile:
    """The graph at its place in another precision. Its shapes and finite numbers are gates, its
    difference is not: the certificate shows what it does to the ranking."""
    changed = convert(made.path, precision, made.graph)
    verify_file(made.path, made.graph, converted=True)
    run = onnx_run(made.path, made.graph)
    converted = compare_probes(made.graph, made.probes, made.reference, run, tolerance=None)
    return GraphFile(
        graph=made.graph, path=made.path, probes=made.probes, reference=made.reference, run=run,
        figures=made.figures, precision=precision, converted=converted, changed=changed,
    )  # fmt: skip


def emit(reference: nn.Module, graph: Graph, spec: Spec, rows: Rows) -> "onnx_ir.Model":
    """The graph, exported here, or in a process of its own where what recurrent operations remember
    of an earlier export cannot be cleared."""
    recurrent = is_recurrent(reference)
    if recurrent and not remembers_dispatch():
        return emit_alone(reference, spec, rows, graph.name)
    try:
        return emit_graph(reference, graph, opset=spec.export.opset)
    except LegoError as error:
        if recurrent and keeps_sizes(error):
            return emit_alone(reference, spec, rows, graph.name)
        raise


def keeps_sizes(error: LegoError) -> bool:
    """Whether an export failed because a dynamic size was taken for the one of an example."""
    text = str(error.__cause__)
    return any(words in text for words in ("static shape", "specialized"))


def is_recurrent(module: nn.Module) -> bool:
    return any(isinstance(part, nn.RNNBase) for part in module.modules())


def describe_graph(graph: Graph, spec: Spec, rows: Rows) -> dict[str, str]:
    """Our labels in a graph: what somebody needs who finds the file alone."""
    longest = longest_sizes(spec, rows)
    lengths = dict.fromkeys(d for port in graph.inputs for d in port.dims if d in longest)
    found = {
        "legoc.role": graph.name,
        "legoc.width": str(graph.outputs[0].dims[-1]),
        "legoc.precision": "fp32",
    }
    if lengths:
        found["legoc.max_length"] = " ".join(
            f"{name if name.isidentifier() else json.dumps(name)}={longest[name]}"
            for name in lengths
        )
    if any(port.dtype == "int64" and port.dims[-1] in longest for port in graph.inputs):
        found["legoc.pad_id"] = "0"
        found["legoc.vocabulary_size"] = str(rows.tokens)
    return found


def graph_manifest(files: Sequence[GraphFile], folder: Path) -> dict[str, Any]:
    """The manifest's `graphs`: file, inputs and outputs by name, dtype and dimensions."""
    return {
        made.graph.name: {
            "file": made.path.relative_to(folder).as_posix(),
            "inputs": [describe_port(port) for port in made.graph.inputs],
            "outputs": [describe_port(port) for port in made.graph.outputs],
        }
        for made in files
    }


def describe_port(port: Any) -> dict[str, Any]:
    return {"name": port.name, "dtype": port.dtype, "dims": list(port.dims)}
