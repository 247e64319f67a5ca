"""The special tokens that a model's own tokenizer puts around a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail


# What is tried to see the special tokens around a text: some tokenizers drop some of these.
SAMPLES = ("a", "1", "the", "0", ".")


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
