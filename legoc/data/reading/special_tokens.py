"""The special tokens that a model's own tokenizer puts around a text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail


# What is tried to see the special tokens around a text: some tokenizers drop some of these.
SAMPLES = ("a", "1", "the", "0", ".")
# Where a publisher says which token is the mask, and what it is called where none says so.
TOLD = ("special_tokens_map.json", "tokenizer_config.json")
MASKS = ("[MASK]", "<mask>")


def wrap(
    parts: Sequence[dict[str, Any]], tokenizer: Any, path: Path, *, first: bool
) -> list[dict[str, Any]]:
    """The parts between the special tokens the tokenizer itself puts around a text. first: there
    must be one before it."""
    before, after = find_specials(tokenizer)
    if first and not before:
        raise fail(
            "E0652",
            f"`pooling=cls` reads the first special token, and `{path}` puts none before a text",
            "write `pooling=attention`, `mean` or `last`",
        )
    if not before and not after:
        raise fail(
            "E0652",
            f"`special=true` asks for special tokens, and `{path}` puts none around a text",
            "leave `special` out",
        )
    wrapped = list(parts)
    if before:
        wrapped.insert(0, {"ids": before})
    if after:
        wrapped.append({"ids": after})
    return wrapped


def find_specials(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The ids a tokenizer puts before and after a text."""
    for text in SAMPLES:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        whole = tokenizer.encode(text, add_special_tokens=True).ids
        for start in range(len(whole) - len(plain) + 1):
            if plain and whole[start : start + len(plain)] == plain:
                return whole[:start], whole[start + len(plain) :]
    return [], []


def find_mask(folder: Path, tokenizer: Any) -> int | None:
    """The id of the token that stands for a word to be found; None where a model has none."""
    names = [name for name in map(read_mask, (folder / told for told in TOLD)) if name]
    ids = (tokenizer.token_to_id(name) for name in (*names, *MASKS))
    return next((found for found in ids if found is not None), None)


def read_mask(path: Path) -> str | None:
    """The mask token that a file of a tokenizer names."""
    try:
        settings: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    named = settings.get("mask_token") if isinstance(settings, dict) else None
    named = named.get("content") if isinstance(named, dict) else named
    return named if isinstance(named, str) else None
