"""Paths in strings: the files and folders that a place may name."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.proposals import Place, Proposal, proposal


# A folder of raw data may hold a file for each item.
MOST_FILES = 1000


def beside(document: Document, path: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(document.path), path))


def paths(place: Place) -> Iterator[Proposal]:
    """What a path in a string may go on with: folders, and files where a file is meant."""
    if place.slot.use:
        yield from entries(place, ending=".lego")
        return
    kind = place.slot.kind
    if kind is not None and kind.name == "list":
        kind = kind.element
    if kind is not None and kind.name in ("file", "folder", "model", "vectors"):
        yield from entries(place, ending="" if kind.name in ("file", "vectors") else None)


def entries(place: Place, *, ending: str | None) -> Iterator[Proposal]:
    """Folders and the files of an ending (None: of none) that the path at a place may go on with;
    hidden ones are left to their owner."""
    cursor = place.cursor
    typed = cursor.document.text[cursor.word.start + 1 : cursor.offset]
    folder = typed.rpartition("/")[0]
    own = os.path.realpath(cursor.document.path)
    span = Span(cursor.document, cursor.offset - len(typed.rpartition("/")[2]), cursor.offset)
    try:
        with os.scandir(beside(cursor.document, folder) or ".") as found:
            some = sorted(islice(found, MOST_FILES), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return
    for entry in some:
        name = entry.name
        if name.startswith(".") or not name.isprintable() or {'"', "\\"} & set(name):
            continue
        if entry.is_dir():
            name += "/"
        elif ending is None or not name.endswith(ending) or os.path.realpath(entry.path) == own:
            continue
        yield replace(proposal(place, "file", name), span=span)
