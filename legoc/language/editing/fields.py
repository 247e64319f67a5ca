"""The fields of one bracket as written, whole or not: keys with the pieces bound to them."""

from collections.abc import Mapping
from dataclasses import dataclass

from legoc.language.syntax.scan import PAIRS, Piece, pieces


@dataclass(frozen=True, kw_only=True)
class Written:
    """The text of a bracket: pieces by key, and those without a key."""

    fields: Mapping[str, tuple[Piece, ...]]
    bare: tuple[Piece, ...]


def read_fields(text: str, start: int) -> Written:
    """What stands in the bracket that opens at `start`, as far as it goes."""
    fields: dict[str, list[Piece]] = {}
    bare: list[Piece] = []
    into = bare
    depth = 0
    path: list[Piece] = []
    for piece in pieces(text, start):
        if piece.text in PAIRS:
            depth += 1
        elif piece.text in PAIRS.values():
            depth -= 1
            if depth == 0:
                break
        if depth == 1 and piece.start > start:
            if piece.text in ("=", "in") and path:
                # The key was taken for a part of what stands before it.
                del into[len(into) - len(path) :]
                into = fields.setdefault("".join(each.text for each in path), [])
                path = []
                continue
            if piece.text == ",":
                into, path = bare, []
                continue
            joined = bool(path) and (piece.text == "." or path[-1].text == ".")
            before = path if joined else []
            path = [*before, piece] if piece.is_word or joined else []
        if piece.start > start:
            into.append(piece)
    return Written(fields={key: tuple(value) for key, value in fields.items()}, bare=tuple(bare))
