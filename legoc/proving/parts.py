"""Graphs that points share: an equal part is exported once, and lent to every point that has it.

Exporting takes a hundred times as long as anything else a small point needs, and 1,000 points are
made of a few dozen parts. The first point to need a part exports it with the weights that its own
training gave; the others put those weights into their model in place of their own, so that what is
compared is again one model in all engines.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from legoc.data.cache import obtain
from legoc.data.indexing.rows import Rows
from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import compare_probes, torch_run
from legoc.exporting.graph_files import GraphFile, write_graph
from legoc.exporting.graphs import GraphCall, reference_copy
from legoc.exporting.probes import make_probes
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir import form
from legoc.language.ir.digest import digest
from legoc.language.ir.plan import Graph, Plan
from legoc.language.ir.spec import Spec
from legoc.progress import Progress
from legoc.training.files import write_tensors
from legoc.writing import write_text


ITEM = ("content", "tokens")
PREDICTOR = ("predict", "prior", "calibration")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stored part: its graph and its weights."""

    folder: Path

    @property
    def graph(self) -> Path:
        return self.folder / "graph.onnx"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"


class Parts:
    """The parts stored in a folder, for one state of the code."""

    def __init__(self, folder: Path, code: str) -> None:
        self.folder = folder
        self.code = code

    def key(self, graph: Graph, spec: Spec, plan: Plan, rows: Rows) -> str:
        """What decides a graph, beside its weights."""
        value = form.to_json(spec)
        ports = [(p.name, p.dtype, p.dims) for p in (*graph.inputs, *graph.outputs)]
        model, data = value["model"], value["data"]
        tokens = [data["content"], data["tokenizer"], rows.tokens, rows.checkpoint]
        of: dict[str, list[Any]] = {
            "item_encoder": [model.get("content"), tokens],
            "user_encoder": [
                model.get("behavior"), model.get("flatten"), plan.width, data["history"],
                data["user"], tokens if "flatten" in model else None,
                [rows.users, data["source"]] if plan.reads_user else None,
            ],
            "predictor": [
                model["predict"], value["types"], data.get("context"),
                spec.train is not None and spec.train.calibrate,
            ],
        }  # fmt: skip
        return digest([self.code, graph.name, ports, of[graph.name]])

    def lend(
        self, model: nn.Module, spec: Spec, plan: Plan, rows: Rows
    ) -> "tuple[dict[str, Part], tuple[str, ...]]":
        """The part of each graph that can be another's, whose weights the model has afterwards; the
        names of graphs that had to be exported. Errors: those of `write_graph`."""
        parts: dict[str, Part] = {}
        fresh: list[str] = []
        for graph in plan.graphs:
            if graph.name != "predictor" and {"content", "flatten"} <= spec.model.keys():
                # Both stages may read one token table, which cannot have the weights of two parts.
                fresh.append(graph.name)
                continue

            def make(place: Path, graph: Graph = graph) -> dict[str, Any]:
                fresh.append(graph.name)
                reference = reference_copy(model)
                write_graph(reference, graph, spec, rows, place / "graph.onnx", LABELS)
                write_tensors(place / "weights.safetensors", dict(state_of(model, graph.name)))
                return {"graph": graph.name}

            key = self.key(graph, spec, plan, rows)
            folder = self.folder / f"{graph.name}-{key[:16]}"
            part = Part(folder=self.once(folder, make))
            put_weights(model, graph.name, part)
            parts[graph.name] = part
        return parts, tuple(fresh)

    def once(self, folder: Path, make: Callable[[Path], dict[str, Any]]) -> Path:
        """The stored folder; a part that could not be exported is refused again with its reason, as
        it is the same code."""
        failed = folder.with_suffix(".json")
        if failed.is_file():
            said = json.loads(failed.read_text(encoding="utf-8"))
            raise fail(said["code"], said["message"], said["help"])
        try:
            return obtain(folder, make)[0]
        except LegoError as error:
            first = error.diagnostics[0]
            said = {"code": first.code, "message": first.message, "help": " ".join(first.help)}
            write_text(failed, json.dumps(said))
            raise


LABELS = {"legoc.format": "legoc-proof/1"}


def state_of(model: nn.Module, graph: str) -> Iterator[tuple[str, Any]]:
    """The weights that a graph of a model holds."""
    cascaded = getattr(model, "content", None) is not None
    homes = dict.fromkeys(PREDICTOR, "predictor") | dict.fromkeys(
        ITEM if cascaded else (), "item_encoder"
    )
    for name, value in model.state_dict().items():
        if homes.get(name.partition(".")[0], "user_encoder") == graph:
            yield name, value


def put_weights(model: nn.Module, graph: str, part: Part) -> None:
    """Puts the weights of a part into a model, which must have exactly those."""
    from safetensors.torch import load_file

    stored = load_file(part.weights)
    named = {name for name, _ in state_of(model, graph)}
    if named != stored.keys():
        raise ValueError(f"{part.folder} holds other weights than the model: {named ^ set(stored)}")
    model.load_state_dict(stored, strict=False)


def lent_graphs(parts: Mapping[str, Part]) -> Callable[..., dict[str, GraphFile]]:
    """A stand-in for `write_graphs` that links lent graphs, compares each with this model, and
    exports the others."""

    def write(
        reference: nn.Module, spec: Spec, plan: Plan, rows: Rows, folder: Path, *,
        labels: Mapping[str, str], progress: Progress,
    ) -> dict[str, GraphFile]:  # fmt: skip
        place = folder / "onnx"
        place.mkdir(parents=True)
        written: dict[str, GraphFile] = {}
        for graph in plan.graphs:
            path = place / f"{graph.name}.onnx"
            if graph.name not in parts:
                written[graph.name] = write_graph(reference, graph, spec, rows, path, labels)
                continue
            os.link(parts[graph.name].graph, path)
            probes = make_probes(graph, spec, rows)
            expected, run = torch_run(GraphCall(reference, graph), graph), onnx_run(path, graph)
            written[graph.name] = GraphFile(
                graph=graph, path=path, probes=probes, reference=expected, run=run,
                figures=compare_probes(graph, probes, expected, run, tolerance=spec.export.parity),
            )  # fmt: skip
        return written

    return write
