"""Folders that appear complete or not at all, keyed by the content they were made from."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from legoc.language.ir.files import settled_state
from legoc.writing import put_folder, remove_leftovers, workplace, write_bytes


MANIFEST = "manifest.json"


def cache_root(explicit: str | Path | None = None) -> Path:
    """The folder of converted tables, token matrices and frozen states: the argument, else
    `LEGOC_CACHE`, else the user's cache folder."""
    if explicit is not None:
        return Path(explicit)
    if given := os.environ.get("LEGOC_CACHE"):
        return Path(given)
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "legoc"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "legoc"


def digest(value: Any) -> str:
    """SHA-256 in hex of a JSON value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a finished folder, or None where there is nothing to trust.

    A folder without a manifest, or one whose files have other sizes than when it was finished, is
    not trusted.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sizes = manifest["files"]
        whole = all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if whole else None


def obtain(
    folder: Path, make: Callable[[Path], Mapping[str, Any] | None]
) -> tuple[Path, dict[str, Any]]:
    """The finished folder and its manifest, made by `make(staging)` unless it is there.

    `make` writes files into the staging folder and returns what else the manifest should say.
    """
    found = read_manifest(folder)
    if found is not None:
        # A cache that only reads has nobody else to clear what a killed process left.
        remove_leftovers(folder.parent)
        return folder, found
    with staging(folder) as made:
        facts = dict(make(made) or {})
        seal(made, facts)
    found = read_manifest(folder)
    if found is None:
        raise OSError(f"{folder} changed while it was written")
    return folder, found


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """An empty folder that becomes `folder` when the block ends, and vanishes when it fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with workplace(folder) as place:
        made = place / folder.name
        made.mkdir()
        yield made
        # Another process may have finished the same folder first: both are equal, keep theirs. One
        # that was damaged after it was finished is replaced.
        if read_manifest(folder) is None:
            put_folder(made, folder)


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest of a finished folder, last of all files."""
    sizes: dict[str, int] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump({**facts, "files": sizes}, file, indent=1, ensure_ascii=False)


def hash_files(paths: Sequence[Path], root: Path) -> list[tuple[str, str]]:
    """What each file is, by its name, and the SHA-256 in hex of its content: the same bytes as
    `users.csv` and as `histories.csv` are two tables."""
    names = [distinct_name(path, paths) for path in paths]
    return [(name, hash_file(path, root)) for name, path in zip(names, paths, strict=True)]


def distinct_name(path: Path, paths: Sequence[Path]) -> str:
    """The name of a file with as many folders above it as tell it from the others. Where all of
    them lie is no part of it: data that is moved stays the same."""
    others = [other.parts for other in paths if other != path]
    for count in range(1, len(path.parts) + 1):
        if all(other[-count:] != path.parts[-count:] for other in others):
            break
    return "/".join(path.parts[-count:])


def hash_file(path: Path, root: Path) -> str:
    """SHA-256 in hex of a file's content, remembered by its path and state; one that changed a
    moment ago is read again."""
    state = settled_state(path)
    note = root / "digests" / digest([str(path.resolve()), state])
    with suppress(OSError):
        known = note.read_text(encoding="ascii") if state is not None else ""
        if len(known) == 64:
            return known
    with path.open("rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    if state is not None and settled_state(path) == state:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(note, value.encode("ascii"))
    return value
