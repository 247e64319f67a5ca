"""Exporting one graph in a process of its own.

Recurrent operations remember the sizes of an earlier export. Where that memory cannot be cleared,
a process without one exports the graph: `python -m legoc.exporting.alone FOLDER GRAPH`.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from legoc.data.indexing.rows import Rows
from legoc.exporting.graphs import emit_graph, reference_copy
from legoc.exporting.labels import save, strip
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir import form
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec
from legoc.tensor_files import save_tensors


if TYPE_CHECKING:
    import onnx_ir


def emit_alone(reference: nn.Module, spec: Spec, rows: Rows, name: str) -> "onnx_ir.Model":
    """The stripped graph `name` of a spec's model with the weights of `reference`, exported in a
    fresh process. Errors: E0820."""
    import onnx_ir

    with tempfile.TemporaryDirectory(prefix="legoc-") as place:
        folder = Path(place)
        (folder / "spec.json").write_text(json.dumps(form.to_json(spec)), encoding="utf-8")
        (folder / "rows.json").write_text(json.dumps(asdict(rows)), encoding="utf-8")
        save_tensors(folder / "weights.safetensors", reference.state_dict())
        done = subprocess.run(
            [sys.executable, "-m", "legoc.exporting.alone", str(folder), name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise fail(
                "E0820",
                f"torch cannot export `{name}` in a process of its own: {last[:300]}",
                "write the operator with the constructs of the export-safe subset",
            )
        model = onnx_ir.load(folder / "graph.onnx")
        onnx_ir.external_data.load_to_model(model)
        return model


def main(folder: Path, name: str) -> None:
    from safetensors.torch import load_file

    from legoc.model import compile

    spec = form.from_json(json.loads((folder / "spec.json").read_text(encoding="utf-8")))
    rows = Rows(**json.loads((folder / "rows.json").read_text(encoding="utf-8")))
    recommender = compile(spec).build(rows).float()
    recommender.load_state_dict(load_file(folder / "weights.safetensors"))
    graph = plan(spec).graph(name)
    assert graph is not None
    model = emit_graph(reference_copy(recommender), graph, opset=spec.export.opset)
    strip(model)
    save(model, folder / "graph.onnx", {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
