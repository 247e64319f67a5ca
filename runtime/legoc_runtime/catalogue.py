"""A catalogue on the disk: what `items.save` wrote, for a process that goes on.

One safetensors file: `vectors`, `ids` and `offsets` as in a bundle, `digests` U8[N, 16], `hidden`
I64 (rows that are not recommended), `generated` I64[2], the tokens of models that flatten, kept
attributes below `attributes/` and the counters below `counters/`. `model` is the fingerprint of
what makes vectors. `sum` comes last: the BLAKE2b of all tensors before it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from legoc_runtime.adding import DIGEST
from legoc_runtime.blocks import ROWS, Blocks
from legoc_runtime.bundle import weight_files
from legoc_runtime.columns import collect_columns, write_columns
from legoc_runtime.counter_files import verify_kept
from legoc_runtime.counters import Counters
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.histories import TokenRows
from legoc_runtime.manifest import Manifest
from legoc_runtime.table import Table, make_table, read_ids
from legoc_runtime.tensors import Array, Parts, read_tensors, write_tensors


HELP = "give a file that `items.save` wrote with this bundle, or add the items anew"
ATTRIBUTES, COUNTERS = "attributes/", "counters/"


def fingerprint(parts: Manifest) -> str:
    """Of what makes the vectors of items: the graph with its weights and the reading with its
    files, or the table where items are rows of one; and of the attributes that are kept."""
    names = {parts.items}
    if parts.item_graph is not None:
        names = {parts.graphs[parts.item_graph].file, *weight_files(parts)}
        told = (parts.reading or {}).get("parts", ())
        names |= {p[key] for p in told for key in ("tokenizer", "vocabulary") if p.get(key)}
    content = {
        "files": {name: parts.files[name].sha256 for name in sorted(names)},
        "reading": parts.reading,
        "width": parts.plan.width,
        "attributes": None if parts.attributes is None else list(parts.attributes.columns),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def catalogue_tensors(
    parts: Manifest, table: Table, digests: Blocks, kept: Mapping[str, Array] | None
) -> dict[str, Array | Parts]:
    """What a file of these items holds; kept: what the counters know."""
    texts = [name.encode() for name in table.ids]
    hidden = [rows + number * ROWS for number, rows in enumerate(table.hidden)]
    bounds = [table.generated.start, table.generated.stop]
    found: dict[str, Array | Parts] = {
        "model": np.frombuffer(fingerprint(parts).encode(), dtype=np.uint8),
        "vectors": list(table.vectors.each()),
        "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        "digests": list(digests.each()),
        "hidden": np.concatenate(hidden).astype(np.int64),
        "generated": np.array(bounds, dtype=np.int64),
    }
    if table.tokens is not None:
        found["tokens"] = list(table.tokens.tokens.each())
        found["lengths"] = list(table.tokens.lengths.each())
    found |= {f"{ATTRIBUTES}{name}": v for name, v in write_columns(table.columns).items()}
    return found | {f"{COUNTERS}{name}": v for name, v in (kept or {}).items()}


def write_file(
    path: Path, tensors: Mapping[str, Array | Parts], *, summed: str | None = None
) -> None:
    """What `write_tensors` does; RequestError where the file cannot be written."""
    try:
        write_tensors(path, tensors, summed=summed)
    except OSError as error:
        raise RequestError(
            f"`{path}` cannot be written ({error.strerror})",
            "give a folder that exists and has room; a file that was there is as it was",
        ) from error


def read_catalogue(path: Path, parts: Manifest, old: Table) -> tuple[Table, Blocks]:
    """The items of a file and the digests of their contents. Raises BundleError where it is none,
    or belongs to another model. old: a table of this model."""
    try:
        tensors = read_tensors(path, summed="sum")
    except OSError as error:
        raise BundleError(f"`{path}` cannot be read ({error.strerror})", HELP) from None
    told = tensors.get("model")
    if told is None or not {"vectors", "ids", "sum"} <= tensors.keys():
        raise BundleError(f"`{path.name}` is not a catalogue", HELP)
    if told.tobytes() != fingerprint(parts).encode():
        raise BundleError(
            f"`{path.name}` holds the items of another model: their vectors do not fit", HELP
        )
    rows = len(tensors["vectors"])
    if not rows or not fits(tensors, parts, rows):
        raise BundleError(f"`{path.name}` is damaged", HELP)
    below = {n.removeprefix(ATTRIBUTES): t for n, t in tensors.items() if n.startswith(ATTRIBUTES)}
    columns = parts.attributes.columns if parts.attributes is not None else ()
    start, stop = map(int, tensors["generated"])
    tokens = None
    if old.tokens is not None:
        tokens = TokenRows(tokens=tensors["tokens"], lengths=tensors["lengths"])
    table = make_table(
        read_ids(path.name, tensors["ids"], tensors["offsets"], rows),
        tensors["vectors"],
        tokens=tokens,
        generated=range(start, stop),
        hidden=tensors["hidden"],
        columns=collect_columns(below, columns, rows, path.name),
        counters=read_saved(path, tensors, parts, old, rows),
    )
    return table, Blocks.of(tensors["digests"])


def fits(tensors: Mapping[str, Array], parts: Manifest, rows: int) -> bool:
    """Whether the tensors of a catalogue have the shapes of so many rows."""
    forms: dict[str, tuple[type, tuple[int, ...]]] = {
        "vectors": (np.float32, (rows, parts.plan.width)), "offsets": (np.int64, (rows + 1,)),
        "digests": (np.uint8, (rows, DIGEST)), "generated": (np.int64, (2,)),
    }  # fmt: skip
    if parts.tokens is not None:
        forms["lengths"] = (np.int32, (rows,))
        tokens = tensors.get("tokens")
        if tokens is None or tokens.ndim != 2 or len(tokens) != rows or tokens.dtype != np.int32:
            return False
    for name, (kind, shape) in forms.items():
        if name not in tensors or tensors[name].dtype != kind or tensors[name].shape != shape:
            return False
    hidden = tensors.get("hidden")
    if hidden is None or hidden.dtype != np.int64 or hidden.ndim != 1:
        return False
    return int(hidden.min(initial=rows)) == 0 and int(hidden.max(initial=0)) < rows


def read_saved(
    path: Path, tensors: Mapping[str, Array], parts: Manifest, old: Table, rows: int
) -> Counters | None:
    """The counters of a catalogue, for a model that has some."""
    if old.counters is None or parts.context is None:
        return None
    kept = {n.removeprefix(COUNTERS): t for n, t in tensors.items() if n.startswith(COUNTERS)}
    numbers = parts.context.numbers
    if not verify_kept(kept, numbers, rows, reported=True):
        raise BundleError(f"`{path.name}` does not hold the clicks of its items", HELP)
    return Counters(
        numbers, values=np.array(kept["values"]), moments=np.array(kept["moments"]),
        first=np.array(kept["first"]), last=int(kept["last"][0]),
        showings=np.array(kept["showings"]) if "showings" in kept else None,
        surplus=np.array(kept["surplus"]) if "surplus" in kept else None,
    )  # fmt: skip
