"""What the tokens of a vocabulary stand for, as texts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


# How tokenizers mark a token that begins a word.
BEGINS = ("Ġ", "▁")

# What bytes become that are no whole character.
BROKEN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A token: its row in the token table, its text, and whether a word begins with it."""

    row: int
    text: str
    begins: bool = True


def read_pieces(tokenizer: Path) -> list[Piece]:
    """The tokens of a tokenizer in the order of their rows, without the special ones and without
    parts of a character."""
    import tokenizers

    loaded = tokenizers.Tokenizer.from_file(str(tokenizer))
    special = set(loaded.get_added_tokens_decoder())
    prefix = continuation(tokenizer)
    found = [
        name_piece(row, token, loaded.decoder, prefix)
        for row, token in sorted((row, token) for token, row in loaded.get_vocab().items())
        if row and row not in special
    ]
    return [piece for piece in found if piece.text and BROKEN not in piece.text]


def continuation(tokenizer: Path) -> str:
    """What stands before a piece that goes on with a word (`##`); empty where nothing does."""
    model = json.loads(tokenizer.read_text(encoding="utf-8")).get("model", {})
    return str(model.get("continuing_subword_prefix") or "")


def name_piece(row: int, token: str, decoder: Any, prefix: str) -> Piece:
    """The piece of one token."""
    if prefix and token.startswith(prefix) and token != prefix:
        return Piece(row=row, text=token[len(prefix) :], begins=False)
    marked = token[:1] in BEGINS and len(token) > 1
    # Byte pairs are spelt in an alphabet of their own.
    text = "" if decoder is None else decoder.decode([token]).strip()
    # Where no token is marked, each begins a word.
    begins = marked or decoder is None or bool(prefix)
    return Piece(row=row, text=text or token[marked:], begins=begins)
