"""What lies beside the graphs: item matrix, golden tensors, tokenizers, vocabularies."""

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.indexing.context import Context
from legoc.data.indexing.log import F32
from legoc.data.indexing.shares import WEIGHT
from legoc.data.reading.inputs import ItemInputs
from legoc.data.reading.profiles import Profiles
from legoc.exporting.gates import Run
from legoc.exporting.probes import Probe
from legoc.language.ir.plan import Graph
from legoc.tensor_files import save_arrays


ITEMS = "cache/items.safetensors"
TOKENS = "cache/tokens.safetensors"
USERS = "vocabularies/users.json"
PROFILES = "cache/users.safetensors"
COUNTERS = "cache/counters.safetensors"
GOLDEN = "golden.safetensors"


def write_items(folder: Path, vectors: F32, ids: Sequence[str]) -> None:
    """The item matrix of a bundle."""
    path = folder / ITEMS
    path.parent.mkdir(parents=True, exist_ok=True)
    save_vectors(path, vectors, ids)


def save_vectors(path: Path, vectors: F32, ids: Sequence[str]) -> None:
    """`vectors` F32[N, D] with row 0 zeros; `ids` U8 and `offsets` I64[N + 1]: the id of row i is
    the UTF-8 text ids[offsets[i] : offsets[i + 1]], empty for row 0."""
    texts = [name.encode() for name in ids]
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    save_arrays(
        path,
        {
            "vectors": vectors.astype(np.float32, copy=False),
            "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
            "offsets": offsets,
        },
    )


def write_tokens(folder: Path, inputs: ItemInputs) -> None:
    """`tokens` I32[N, L], the token ids of every item padded with 0, and `lengths` I32[N]: what a
    user encoder that flattens reads of the clicked items."""
    rows = inputs.rows(np.arange(len(inputs.lengths), dtype=np.int32))
    tokens, mask = rows["tokens"], rows["tokens_mask"]
    save_arrays(
        folder / TOKENS,
        {
            "tokens": np.where(mask, tokens, 0).astype(np.int32),
            "lengths": mask.sum(axis=1).astype(np.int32),
        },
    )


def write_users(folder: Path, ids: Sequence[str]) -> None:
    """User id -> row of the user table as `{"values": {...}}`, without the unknown user, row 0."""
    path = folder / USERS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"values": {name: row for row, name in enumerate(ids) if row}})


def write_profiles(folder: Path, profiles: Profiles) -> dict[str, Any]:
    """Of the attribute at place i of the reading `i/ids` I32[N, L], 0 at padding, and `i/lengths`
    I32[N]: what is known of each user, row 0 being whoever is not known. Its tokenizer and
    vocabularies lie in the folder `profile`. The entry of the manifest."""
    assert profiles.reading is not None
    assert profiles.folder is not None
    reading = dict(profiles.reading)
    reading["parts"] = [
        {key: f"profile/{value}" if key in ("tokenizer", "vocabulary") else value
         for key, value in part.items()}
        for part in reading["parts"]
    ]  # fmt: skip
    copy_reading(profiles.folder, profiles.reading, folder / "profile")
    tensors: dict[str, Any] = {}
    for place, part in enumerate(reading["parts"]):
        tensors[f"{place}/ids"] = profiles.ids[part["name"]]
        tensors[f"{place}/lengths"] = profiles.lengths[part["name"]]
    save_arrays(folder / PROFILES, tensors)
    return {"file": PROFILES, "reading": reading}


def write_counters(folder: Path, context: Context) -> None:
    """`values` F64[N, n], the clicks of each item at the end of the data, and with s shares
    `showings` F64[N, s], both faded to `moments` I64[N]; `first` I64[N], when it was published or
    first seen; `last` I64[1], the latest moment. Moments are microseconds since 1970, the largest
    number is for what never happened."""
    standing = context.standing()
    last = np.array([context.last], dtype=np.int64)
    shown = {} if standing.showings is None else {"showings": standing.showings}
    save_arrays(
        folder / COUNTERS,
        {"values": standing.values, **shown, "moments": standing.moments, "first": context.first,
         "last": last},
    )  # fmt: skip


def describe_context(context: Context, neutral: Sequence[float]) -> dict[str, Any]:
    """The entry of the manifest: what each number is, and its value that says nothing; the unit of
    moments that are not of the calendar."""
    numbers: list[dict[str, Any]] = []
    told = zip(context.names, context.kinds, context.spans, neutral, strict=True)
    for name, kind, span, silent in told:
        number = {"name": name, "kind": kind, "neutral": silent}
        if span is not None:
            number["seconds"] = None if math.isinf(span) else span
        if kind == "share" and context.showings is not None:
            number |= {"overall": context.showings.overall, "weight": WEIGHT}
        numbers.append(number)
    unit = {} if context.clock is None else {"unit": context.clock}
    return {"file": COUNTERS, **unit, "numbers": numbers}


def write_golden(
    folder: Path, probes: Mapping[str, Sequence[Probe]], graphs: Mapping[str, Graph],
    runs: Mapping[str, Run],
) -> None:  # fmt: skip
    """`<graph>/<probe>/<port>`: the inputs of every probe and what onnxruntime makes of them."""
    tensors: dict[str, Any] = {}
    for name, found in probes.items():
        output = graphs[name].outputs[0].name
        for probe in found:
            for port, values in {**probe.inputs, output: runs[name](probe.inputs)}.items():
                tensors[f"{name}/{probe.name}/{port}"] = np.asarray(values)
    save_arrays(folder / GOLDEN, tensors)


def copy_reading(source: Path, reading: Mapping[str, Any], folder: Path) -> None:
    """The tokenizers and vocabularies that a reading names, under the same relative paths."""
    for name in reading_files(reading):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)


def reading_files(reading: Mapping[str, Any]) -> list[str]:
    named = (
        part[key]
        for part in reading["parts"]
        for key in ("tokenizer", "vocabulary")
        if part.get(key)
    )
    return sorted(set(named))


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Path -> SHA-256 and bytes of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": digest(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
