"""golden.safetensors replayed: inputs and outputs of every graph, recorded when it was exported."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import Array, Graphs
from legoc_runtime.tensors import parse_tensors
from legoc_runtime.tokens import Reader


GOLDEN = "golden.safetensors"
NO_TOKENS = (np.zeros((1, 0), dtype=np.int32), np.zeros(1, dtype=np.int32))


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """The largest difference per graph, relative to the largest number expected (at least 1).

    outputs: how many recorded outputs were computed again; texts: how many hard texts were read as
    in training, 0 where nothing here reads text.
    """

    differences: Mapping[str, float]
    outputs: int
    tolerance: float
    texts: int = 0

    @property
    def difference(self) -> float:
        """The largest of all graphs."""
        return max(self.differences.values())


def replay(bundle: Bundle, graphs: Graphs, reader: Reader | None) -> SelfTest:
    """Run every probe, and read the hard texts. Raises BundleError where one is missing, or differs
    beyond the tolerance."""
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
    texts = 0 if parts.texts is None or reader is None else reread(bundle, parts.texts, reader)
    return SelfTest(
        differences=differences, outputs=len(probes), tolerance=parts.tolerance, texts=texts
    )


def reread(bundle: Bundle, file: str, reader: Reader) -> int:
    """How many hard texts were read as in training; none where the package tokenizers is absent.
    BundleError for one that is other tokens here."""
    try:
        probes = json.loads(bundle.read(file).decode("utf-8"))["probes"]
        pairs = [(dict(probe["record"]), dict(probe["ids"])) for probe in probes]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BundleError(
            f"`{file}` holds no probes of texts ({error})", "export the bundle again"
        ) from None
    for record, ids in pairs:
        try:
            found = reader.read([record])
        except RequestError:
            return 0
        for name, expected in ids.items():
            matrix, lengths = found.get(name, NO_TOKENS)
            if matrix[0, : int(lengths[0])].tolist() != expected:
                raise BundleError(
                    f"{record} is other tokens here than in training",
                    "install the version of `tokenizers` that the bundle was written with",
                )
    return len(pairs)


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
