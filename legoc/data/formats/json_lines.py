"""One object per line: JSON, or the Python literals some publishers wrote in its place."""

import ast
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from legoc.data.formats.opened import decode, read_lines
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import fail
from legoc_runtime.values import whole


# How JSON and Python spell one half of a surrogate pair; what is spelled in two is one letter.
HALF = re.compile(r"\\u[dD][89a-fA-F]")
# A file whose first lines are all broken has another layout; fewer are taken for broken lines.
BROKEN_START = 20


def read_json_lines(
    path: Path, shown: str, losses: Losses, part: str, encoding: str = "utf-8"
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and object of every line.

    A line that is neither JSON nor a Python literal, or no object, is counted in `losses` and left
    out. Raises E0621 where no line is right, E0622 for a file that cannot be read to its end.
    """
    good = bad = 0
    for number, raw in read_lines(path, shown):
        text = decode(raw, number, shown, encoding).strip()
        if not text:
            continue
        found = parse_object(text)
        if found is not None:
            good += 1
            yield number, hold_whole(text, found, losses, part, f"{shown}:{number}")
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


def read_json(
    path: Path, shown: str, losses: Losses, part: str, encoding: str = "utf-8"
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and object of a file that is one list of objects, or has one a line. E0621
    for any other JSON."""
    first = next((raw for _, raw in read_lines(path, shown) if raw.strip()), b"")
    if not decode(first, 1, shown, encoding).lstrip().startswith("["):
        yield from read_json_lines(path, shown, losses, part, encoding)
        return
    content = b"".join(raw for _, raw in read_lines(path, shown))
    try:
        text = decode(content, 1, shown, encoding)
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise fail(
            "E0622",
            f"`{shown}` is no JSON that can be read ({error})",
            "write it again as one list of objects, or as one object per line",
        ) from None
    for number, record in enumerate(found, start=1):
        if isinstance(record, dict):
            place = f"{shown}:{number}"
            yield number, hold_whole(text, record, losses, part, place)
        else:
            losses.add("record that is no JSON object", "dropped", part, f"{shown}:{number}")


def hold_whole(
    text: str, record: dict[str, Any], losses: Losses, part: str, place: str
) -> dict[str, Any]:
    """The record of a text, with words that a table can hold. What it could not hold is counted."""
    if not HALF.search(text):
        return record
    mended = mend(record)
    if mended != record:
        losses.add("text with half of a surrogate pair", "half replaced by �", part, place)
    return mended


def mend(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [mend(one) for one in value]
    if isinstance(value, dict):
        return {mend(name): mend(one) for name, one in value.items()}
    return value


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
