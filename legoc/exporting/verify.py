"""`legoc verify`: every hash, the golden tensors and the certificate of a bundle, checked again."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import legoc_runtime
from legoc.exporting.contents import digest
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
        model = legoc_runtime.load(path)
        manifest = model.bundle.manifest
        golden = model.self_test()
    except legoc_runtime.BundleError as error:
        raise fail("E0829", error.message, error.help) from error
    folder = Path(path)
    for name, entry in manifest["graphs"].items():
        verify_file(folder / entry["file"], read_graph(name, entry), converted=True)
    broken = broken_rows(model.items.vectors)
    if broken:
        raise fail("E0829", describe_rows(broken, model.items.ids), "train and export again")
    files = {name: entry["file"] for name, entry in manifest["graphs"].items()}
    verify_certificate(manifest["certificate"], folder, files)
    return CertificateReport(
        path=folder, files=len(manifest["files"]), golden=golden.outputs,
        difference=golden.difference, certificate=manifest["certificate"],
    )  # fmt: skip


def read_graph(name: Any, entry: Mapping[str, Any]) -> Graph:
    def ports(side: str) -> tuple[Port, ...]:
        return tuple(
            Port(name=p["name"], dtype=p["dtype"], dims=tuple(p["dims"])) for p in entry[side]
        )

    return Graph(name=name, inputs=ports("inputs"), outputs=ports("outputs"))


def verify_certificate(
    certificate: Mapping[str, Any], folder: Path, graphs: Mapping[str, str]
) -> None:
    """E0829 where the certificate is about other graphs, or breaks its own tolerance."""
    if set(certificate["graphs"]) != set(graphs):
        raise fail(
            "E0829",
            f"the certificate is about {', '.join(certificate['graphs'])}, "
            f"the bundle has {', '.join(graphs)}",
            "export the run again",
        )
    for name, entry in certificate["graphs"].items():
        if entry["sha256"] != digest(folder / graphs[name]):
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
