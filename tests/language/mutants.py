"""Texts that are almost right: each piece of a text deleted, doubled, replaced or misspelt."""

from collections.abc import Iterator

from legoc.language.syntax.scan import pieces


OTHERS = ("(", "]", "{", "->", "=", "in", '"a"', "3", "10%", "$x", "model", ",", "'", ":")
KINDS = "delete double replace swap neighbour misspell"


def mutants(text: str, kinds: str = "delete double replace swap") -> Iterator[str]:
    """One mutant per piece and kind; what replaces a piece goes round the list. `swap` exchanges
    two letters of a piece, `neighbour` a piece with the next, `misspell` drops a letter."""
    found = list(pieces(text))
    for place, piece in enumerate(found):
        before, after = text[: piece.start], text[piece.end :]
        if "delete" in kinds:
            yield before + after
        if "double" in kinds:
            yield f"{before}{piece.text} {piece.text}{after}"
        if "replace" in kinds:
            yield before + OTHERS[place % len(OTHERS)] + after
        if "neighbour" in kinds and place + 1 < len(found):
            other = found[place + 1]
            between = text[piece.end : other.start]
            yield f"{before}{other.text}{between}{piece.text}{text[other.end :]}"
        if len(piece.text) < 2:
            continue
        middle = len(piece.text) // 2
        if "swap" in kinds:
            letters = list(piece.text)
            letters[middle - 1], letters[middle] = letters[middle], letters[middle - 1]
            yield before + "".join(letters) + after
        if "misspell" in kinds:
            yield before + piece.text[:middle] + piece.text[middle + 1 :] + after
