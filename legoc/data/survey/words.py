"""How much of what items say the tokenizer knows, part by part of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from legoc.data.prepare import Prepared


# Items of a part whose texts are read.
SAMPLE = 5_000
# Shares from which on a warning is due: of unknown tokens, and of items without a known one.
UNKNOWN = 0.2
SILENT = 0.05

LEARNED = "tokenizers/words/tokenizer.json"
"""Where the tokenizer lies that learns whole words."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """items: those of a part that have a text. unknown: the share of their tokens, within the
    limits of the spec, that the tokenizer does not know. silent: the share of these items of which
    it knows no token."""

    items: int
    unknown: float
    silent: float


def measure_words(prepared: Prepared) -> dict[str, Known]:
    """The figures of the items that each part of the data offers, where they have texts."""
    reading = prepared.reading
    if reading is None or prepared.reading_folder is None:
        return {}
    parts = [part for part in reading["parts"] if "name" in part and part["kind"] == "text"]
    if not parts:
        return {}
    from legoc_runtime.tokens import Reader

    reader = Reader.load(prepared.reading_folder, {**reading, "layout": "fields", "parts": parts})
    found: dict[str, Known] = {}
    for split in prepared.report.parts:
        if split not in prepared.logs:
            continue
        rows = np.unique(prepared.logs[split].item)
        rows = rows[rows > 0]
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(int))]
        known = measure(reader, prepared.item_records([int(row) for row in chosen]))
        if known is not None:
            found[split] = known
    return found


def measure(reader: Any, records: Sequence[Mapping[str, Any]]) -> Known | None:
    """The figures of some items; None where none of them has a text."""
    tokens = np.zeros(len(records), dtype=np.int64)
    unknown = np.zeros(len(records), dtype=np.int64)
    for ids, lengths in reader.read(records).values():
        real = np.arange(ids.shape[1]) < lengths[:, None]
        tokens += lengths
        unknown += (real & (ids == reader.unknown)).sum(axis=1)
    told = tokens > 0
    if not told.any():
        return None
    return Known(
        items=int(told.sum()), unknown=float(unknown.sum() / tokens.sum()),
        silent=float((unknown == tokens)[told].mean()),
    )  # fmt: skip


def warn_of_words(found: Mapping[str, Known], prepared: Prepared) -> list[str]:
    """A sentence for the part that the tokenizer reads worst, if that is bad."""
    bad = {n: k for n, k in found.items() if k.unknown > UNKNOWN or k.silent > SILENT}
    if not bad or prepared.reading is None:
        return []
    name, worst = max(bad.items(), key=lambda pair: (pair[1].unknown, pair[1].silent))
    remedy = (
        "write `tokenizer = subwords(size=8k)`, which knows every word by its pieces"
        if any(part.get("tokenizer") == LEARNED for part in prepared.reading["parts"])
        else "choose a tokenizer or a language model of the language of the items"
    )
    return [
        f"{worst.unknown:.1%} of the tokens of the items of {name} are unknown, and "
        f"{worst.silent:.1%} of these items have no known one: {remedy}"
    ]
