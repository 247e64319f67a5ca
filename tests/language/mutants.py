"""Texts that are almost right: each piece of a text deleted, doubled, replaced or misspelt."""

from collections.abc import Iterator

from legoc.language.scan import pieces


OTHERS = ("(", "]", "{", "->", "=", "in", '"a"', "3", "10%", "$x", "model", ",", "'", ":")


def mutants(text: str, kinds: str = "delete double replace swap") -> Iterator[str]:
    """One mutant per piece and kind; what replaces a piece goes round the list."""
    for place, piece in enumerate(pieces(text)):
        before, after = text[: piece.start], text[piece.end :]
        if "delete" in kinds:
            yield before + after
        if "double" in kinds:
            yield f"{before}{piece.text} {piece.text}{after}"
        if "replace" in kinds:
            yield before + OTHERS[place % len(OTHERS)] + after
        if "swap" in kinds and len(piece.text) > 1:
            middle = len(piece.text) // 2
            letters = list(piece.text)
            letters[middle - 1], letters[middle] = letters[middle], letters[middle - 1]
            yield before + "".join(letters) + after
