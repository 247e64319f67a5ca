"""golden.safetensors replayed: inputs and outputs of every graph, recorded when it was exported."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError
from legoc_runtime.graphs import Array, Graphs
from legoc_runtime.tensors import parse_tensors


GOLDEN = "golden.safetensors"


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """The largest difference per graph, relative to the largest number expected (at least 1).

    outputs: how many recorded outputs were computed again.
    """

    differences: Mapping[str, float]
    outputs: int
    tolerance: float

    @property
    def difference(self) -> float:
        """The largest of all graphs."""
        return max(self.differences.values())


def replay(bundle: Bundle, graphs: Graphs) -> SelfTest:
    """Run every probe. Raises BundleError where one is missing, or differs beyond the tolerance."""
    parts = bundle.parts
    probes = group(parse_tensors(bundle.read(GOLDEN), GOLDEN))
    differences: dict[str, float] = {}
    for (name, probe), tensors in probes.items():
        graph = parts.graphs.get(name)
        missing = (
            {name}
            if graph is None
            else {port.name for port in (*graph.inputs, *graph.outputs)} - tensors.keys()
        )
        if graph is None or missing:
            raise BundleError(
                f"{GOLDEN} has a probe `{name}/{probe}` that lacks {', '.join(sorted(missing))}",
                "export the bundle again",
            )
        expected = tensors[graph.outputs[0].name]
        found = graphs.run(name, tensors)
        difference = compare(expected, found)
        if not difference <= parts.tolerance:
            raise BundleError(
                f"`{graph.file}` differs by {difference:.1e} from what it gave when it was "
                f"exported (probe `{probe}`, tolerance {parts.tolerance:.0e})",
                "run it with another level or provider, or export the bundle on this machine",
            )
        differences[name] = max(differences.get(name, 0.0), difference)
    untested = parts.graphs.keys() - differences.keys()
    if untested:
        raise BundleError(
            f"{GOLDEN} has no probe of {', '.join(sorted(untested))}", "export the bundle again"
        )
    return SelfTest(differences=differences, outputs=len(probes), tolerance=parts.tolerance)


def group(tensors: Mapping[str, Array]) -> dict[tuple[str, str], dict[str, Array]]:
    """Tensors named `<graph>/<probe>/<port>`, by graph and probe."""
    probes: dict[tuple[str, str], dict[str, Array]] = {}
    for name, tensor in tensors.items():
        # The name of a port may have a slash, those of graphs and probes have none.
        graph, _, rest = name.partition("/")
        probe, _, port = rest.partition("/")
        probes.setdefault((graph, probe), {})[port] = tensor
    return probes


def compare(expected: Array, found: Array) -> float:
    """max |expected - found| / max(1, max |expected|); infinite where the shapes differ."""
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    largest = max(1.0, float(np.abs(expected).max(initial=0.0)))
    return float(np.abs(expected - found).max(initial=0.0)) / largest
