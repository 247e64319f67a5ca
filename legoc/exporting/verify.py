"""`legoc verify`: every hash, the golden tensors and the certificate of a bundle, checked again.

The bundle is opened once, and all that is said of it is said of the bytes that were read then.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import legoc_runtime
from legoc.exporting.finiteness import broken_rows, describe_rows
from legoc.exporting.gates import verify_file
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Graph, Port


@dataclass(frozen=True, kw_only=True)
class CertificateReport:
    """What was found in a bundle that holds.

    files: hashes that agree. golden: recorded outputs computed again, `difference` the
    largest difference among them. certificate: as in the manifest.
    """

    path: Path
    files: int
    golden: int
    difference: float
    certificate: Mapping[str, Any]


def verify_bundle(path: Path) -> CertificateReport:
    """Checks a bundle again, from its own files.

    Hashes and paths, then the golden tensors through onnxruntime, then each graph (valid, its ports
    as in the manifest, free of traces), then that all item vectors are finite and the certificate
    is about these graphs and within its own tolerance. Errors: E0829, and the gates' E0822, E0824
    and E0825.
    """
    try:
        bundle = legoc_runtime.open_bundle(path)
        model = legoc_runtime.Model(bundle, legoc_runtime.Settings())
        golden = model.self_test()
    except legoc_runtime.BundleError as error:
        raise fail("E0829", error.message, error.help) from error
    manifest = bundle.manifest
    for name, entry in manifest["graphs"].items():
        # The checker of ONNX looks for weights beside a file.
        with TemporaryDirectory() as folder:
            verify_file(unpack(bundle, name, Path(folder)), read_graph(name, entry), converted=True)
    table = model.items.table
    broken = broken_rows(table.vectors.whole())
    if broken:
        raise fail("E0829", describe_rows(broken, table.ids), "train and export again")
    verify_certificate(manifest["certificate"], bundle)
    return CertificateReport(
        path=Path(path), files=len(manifest["files"]), golden=golden.outputs,
        difference=golden.difference, certificate=manifest["certificate"],
    )  # fmt: skip


def unpack(bundle: legoc_runtime.Bundle, name: str, folder: Path) -> Path:
    """A graph and the files it may name as its weights, as they were opened, in a folder."""
    graph = bundle.parts.graphs[name]
    place = folder / Path(graph.file).name
    for path, content in {place.name: bundle.contents[graph.file], **bundle.weights(graph)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("wb") as file:
            file.write(content)
    return place


def read_graph(name: Any, entry: Mapping[str, Any]) -> Graph:
    def ports(side: str) -> tuple[Port, ...]:
        return tuple(
            Port(name=p["name"], dtype=p["dtype"], dims=tuple(p["dims"])) for p in entry[side]
        )

    return Graph(name=name, inputs=ports("inputs"), outputs=ports("outputs"))


def verify_certificate(certificate: Mapping[str, Any], bundle: legoc_runtime.Bundle) -> None:
    """E0829 where the certificate is about other graphs, or breaks its own tolerance."""
    graphs = {name: graph.file for name, graph in bundle.parts.graphs.items()}
    if set(certificate["graphs"]) != set(graphs):
        raise fail(
            "E0829",
            f"the certificate is about {', '.join(certificate['graphs'])}, "
            f"the bundle has {', '.join(graphs)}",
            "export the run again",
        )
    for name, entry in certificate["graphs"].items():
        if entry["sha256"] != hashlib.sha256(bundle.contents[graphs[name]]).hexdigest():
            raise fail(
                "E0829",
                f"the certificate of `{name}` is about another file than `{graphs[name]}`",
                "export the run again",
            )
        figures = [*entry["probes"].values()]
        if certificate["precision"] == "fp32" and entry["real"] is not None:
            figures.append(entry["real"])
        verify_figures(name, figures, certificate["tolerance"])
    if certificate["precision"] == "fp32" and certificate["whole"] is not None:
        verify_figures("scores", [certificate["whole"]["difference"]], certificate["tolerance"])


def verify_figures(name: str, figures: list[Any], tolerance: float) -> None:
    for figure in figures:
        if not (isinstance(figure, int | float) and math.isfinite(figure) and figure <= tolerance):
            raise fail(
                "E0829",
                f"the certificate records a difference of {figure} for `{name}`, "
                f"above its tolerance of {tolerance}",
                "export the run again",
            )
