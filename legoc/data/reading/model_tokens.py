"""What a pre-trained language model reads of an item: one sequence in the model's own ids.

Prompt fragments and attributes in reading order, each tokenised by itself; categories and numbers
as text (Liu et al., Once, WSDM 2024).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.indexing.tables import Tables
from legoc.data.reading.checkpoint import (
    TOKENIZER,
    read_config,
    read_positions,
    read_vocabulary_size,
)
from legoc.data.reading.inputs import TokenTable
from legoc.data.reading.mapped import map_matrix
from legoc.data.reading.own_tokenizer import PLACE, find_unknown, load_tokenizer
from legoc.data.reading.prompts import label_parts, plan_prompt
from legoc.data.reading.special_tokens import wrap
from legoc.data.reading.tokens import BLOCK, check_attributes, load, write_matrices
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named
from legoc.language.ir.plan import Port
from legoc.language.ir.spec import Call, Data, Prompt
from legoc.progress import SILENT, Progress


# Raise when the matrices of the same tables would differ from those an older version wrote.
VERSION = 2

# Tokens kept of a category or a number. They are names and figures, so none should be cut.
SHORT = 64


@dataclass(frozen=True, kw_only=True)
class ModelReading:
    """How a language model reads items, known before any item is seen.

    value: the reading of `legoc_runtime.tokens`. tokenizer: the file it names. longest: the most
    tokens an item can have.
    """

    value: Mapping[str, Any]
    tokenizer: Path
    longest: int


def plan_reading(
    data: Data, call: Call, named: Named, folder: Path, *, joined: bool | None = None
) -> ModelReading:
    """The reading of a data record by the stage `call`, whose model lies in `folder`.

    joined: of a stage that reads whole histories, whether a candidate ends the same text; None for
    one that reads items.

    Raises E0626 for `words` and `subwords` and a file that is no tokenizer, E0651 for a folder
    whose own tokenizer cannot be read, E0652 for a tokenizer with ids the model has no row for or
    without the special tokens asked for, E0653 where an item may be longer than the model reads,
    E0636 and E0638 for a prompt that cannot be.
    """
    path = choose_tokenizer(data.tokenizer, folder)
    tokenizer = load_tokenizer(path, own=data.tokenizer is None)
    config = read_config(folder)
    rows = read_vocabulary_size(config, folder)
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    if largest >= rows:
        raise fail(
            "E0652",
            f"`{path}` has ids up to {largest:,}, and the language model in `{folder}` has "
            f"{rows:,} rows",
            "use the tokenizer.json that was published with these weights",
        )
    parts = describe_parts(data.content if joined is None else label_parts(data))
    if joined is None and (call.args.get("special") or call.args.get("pooling") == "cls"):
        parts = wrap(parts, tokenizer, path, first=call.args.get("pooling") == "cls")
    unknown = find_unknown(path, tokenizer)
    counts = [most_tokens(part, tokenizer) for part in parts]
    longest, positions = sum(counts), read_positions(config)
    prompt: dict[str, Any] = {}
    if joined is None:
        verify_length(parts, counts, positions, named)
    else:
        prompt["prompt"] = plan_prompt(
            call, named, folder, tokenizer, joined=joined, longest=longest,
            history=data.history, positions=positions,
        )  # fmt: skip
    return ModelReading(
        value={
            "layout": "sequence", "rows": rows, "padding": 0, "unknown": unknown,
            "separator": None, "parts": parts, **prompt,
        },
        tokenizer=path,
        longest=longest,
    )  # fmt: skip


def choose_tokenizer(call: Call | None, folder: Path) -> Path:
    """The file a data record names, else the model's own."""
    if call is None:
        return folder / TOKENIZER
    if call.op != "file":
        raise fail(
            "E0626",
            f"a language model reads tokens of its own, not those of `{call.op}`",
            'leave `tokenizer` out, or name a file that fits the model: file("tokenizer.json")',
        )
    return Path(call.args["path"])


def describe_parts(content: Sequence[Attribute | Prompt]) -> list[dict[str, Any]]:
    """The parts of a reading: fragments and attributes in reading order."""
    parts: list[dict[str, Any]] = []
    for one in content:
        if isinstance(one, Prompt):
            parts.append({"text": one.text})
            continue
        part = {"name": one.name, "kind": one.kind, "tokenizer": PLACE}
        part["length"] = one.length if one.kind == "text" else SHORT
        parts.append(part)
    return parts


def most_tokens(part: Mapping[str, Any], tokenizer: Any) -> int:
    """The most tokens that a part of a reading can have."""
    if "ids" in part:
        return len(part["ids"])
    if "text" in part:
        return len(tokenizer.encode(part["text"], add_special_tokens=False).ids)
    return int(part["length"])


def verify_length(
    parts: Sequence[Mapping[str, Any]], counts: Sequence[int], positions: int | None, named: Named
) -> None:
    """Refuse items that may be longer than the model reads. counts: the most tokens of each
    part."""
    longest = sum(counts)
    if positions is None or longest <= positions:
        return
    over = longest - positions
    texts = [part for part in parts if part.get("kind") == "text"]
    most = max(texts, key=lambda part: part["length"], default=None)
    shown = [
        f"{count:,} of {describe(part)}" for part, count in zip(parts, counts, strict=True) if count
    ]
    raise fail(
        "E0653",
        f"an item may have {longest:,} tokens, and `{named.shown}` reads {positions:,}",
        f"shorten `{most['name']}` by {over:,}: `{most['name']}({most['length'] - over})`"
        if most is not None and most["length"] > over
        else "leave attributes or prompts out of `content`, or keep fewer tokens of several",
        notes=("that is " + ", ".join(shown),),
    )


def describe(part: Mapping[str, Any]) -> str:
    """A part of a reading by name."""
    if "name" in part:
        return f"`{part['name']}`"
    return repr(part["text"]) if "text" in part else "special tokens"


def tokenize_for_model(
    tables: Tables,
    attributes: Sequence[Attribute],
    planned: ModelReading,
    *,
    ports: tuple[Port, ...],
    root: Path,
    progress: Progress = SILENT,
) -> tuple[TokenTable, dict[str, Any], Path]:
    """The token table of all items in a model's ids, its reading, and the folder of its files.

    The result is keyed by the content of the tables, the reading with its prompts, and the bytes
    of the tokenizer. root: the cache folder.
    """
    import hashlib
    import shutil

    check_attributes(tables, attributes)
    content = planned.tokenizer.read_bytes()
    hashed = hashlib.sha256(content).hexdigest()
    key = digest([VERSION, "model", tables.digest, dict(planned.value), hashed])

    def make(staging: Path) -> dict[str, Any]:
        target = staging / PLACE
        target.parent.mkdir(parents=True)
        shutil.copyfile(planned.tokenizer, target)
        noted = tables.report.notation
        parts = [{**part, **noted.get(part.get("name"), {})} for part in planned.value["parts"]]
        reading = {**planned.value, "parts": parts}
        write_matrices(
            tables, attributes, reading, {"tokens": max(planned.longest, 1)}, staging, progress
        )
        narrow(staging / "matrices")
        return {"reading": reading}

    folder, manifest = obtain(root / "tokens" / key[:32], make)
    ids, lengths = load(folder, "tokens")
    table = TokenTable(
        ports=ports, matrices={"tokens": (ids, lengths)}, lengths=lengths.astype(np.int32)
    )
    return table, manifest["reading"], folder


def narrow(folder: Path) -> None:
    """Cut the matrix to its longest item: few items come near the bound, and a wide row keeps a
    page of memory for each."""
    path = folder / "tokens.npy"
    width = max(int(np.load(folder / "tokens.lengths.npy").max(initial=0)), 1)
    wide = np.load(path, mmap_mode="r")
    if width == wide.shape[1]:
        return
    part = folder / "narrow.npy"
    cut = map_matrix(part, wide.dtype, (len(wide), width))
    for first in range(0, len(wide), BLOCK):
        cut[first : first + BLOCK] = wide[first : first + BLOCK, :width]
    cut.flush()
    del cut, wide
    part.replace(path)
