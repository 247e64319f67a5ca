"""One object per line: JSON, or the Python literals some publishers wrote in its place."""

import ast
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from legoc.data.readers.opened import decode, read_lines
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import fail


# A file whose first lines are all broken has another layout; fewer are taken for broken lines.
BROKEN_START = 20


def read_json_lines(
    path: Path, shown: str, losses: Losses, part: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and object of every line.

    A line that is neither JSON nor a Python literal, or no object, is counted in `losses` and left
    out. Raises E0621 where no line is right, E0622 for a file that cannot be read to its end.
    """
    good = bad = 0
    for number, raw in read_lines(path, shown):
        text = decode(raw, number, shown).strip()
        if not text:
            continue
        found = parse_object(text)
        if found is not None:
            good += 1
            yield number, found
            continue
        bad += 1
        if good == 0 and bad == BROKEN_START:
            break
        losses.add("line that is no JSON object", "dropped", part, f"{shown}:{number}: {text[:40]}")
    if bad and not good:
        raise fail(
            "E0621",
            f"`{shown}` has no line that is a JSON object",
            "use the publisher's file: one object per line, JSON or a Python literal",
        )


def parse_object(text: str) -> dict[str, Any] | None:
    """The object a line holds, or None. Python literals are read without running anything."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                # Published literals hold escapes such as "\/" that Python warns of.
                warnings.simplefilter("ignore")
                found = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return found if isinstance(found, dict) else None
