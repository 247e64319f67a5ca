"""What a misspelt name may have meant: edit distance within one pool, then case."""

from collections.abc import Iterable, Sequence
from typing import Literal


def nearest(name: str, pool: Iterable[str]) -> str | None:
    """The name of the pool that `name` most likely misspells, or None.

    Two swapped neighbours count as one edit. A third of the letters may differ; of equal distances
    the pool's first wins.
    """
    names = list(dict.fromkeys(pool))
    folded = next((known for known in names if known.lower() == name.lower()), None)
    if folded is not None:
        return folded
    allowed = max(1, (len(name) + 1) // 3)
    best: tuple[int, str] | None = None
    for known in names:
        if abs(len(known) - len(name)) > allowed:
            continue
        edits = distance(name.lower(), known.lower())
        if edits <= allowed and edits < len(known) and (best is None or edits < best[0]):
            best = (edits, known)
    return None if best is None else best[1]


def grade(name: str, meant: str) -> Literal["safe", "ask"]:
    """How safe it is to write what a name most likely means: other letters are another spelling,
    other digits another thing (`int16` is not `int8`)."""
    digits = [[char for char in text if char.isdigit()] for text in (name, meant)]
    return "safe" if digits[0] == digits[1] else "ask"


def distance(one: str, other: str) -> int:
    """Edits between two texts: insert, delete, replace, or swap two neighbours."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            edits = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                edits = min(edits, before[j - 2] + 1)
            row.append(edits)
        before, last = last, row
    return last[-1]


def listing(names: Sequence[str], *, quote: str = "", joint: str = "and") -> str:
    """`a`, `b` and `c`."""
    quoted = [f"{quote}{name}{quote}" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}"
