"""Digests of files by their bytes, remembered by size and modification time.

Word vectors are gigabytes and a check is instant, so digests of large files are kept in the user's
cache folder. Where that cannot be written, they are computed again.
"""

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from legoc.writing import write_text


REMEMBERED = 1 << 20
MOST = 4096


def file_digest(path: str) -> str | None:
    """SHA-256 of the bytes of a file, or None where there is none to read."""
    try:
        state = os.stat(path)
        return digest_of(os.path.abspath(path), state.st_size, state.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def digest_of(path: str, size: int, modified: int) -> str:
    if size < REMEMBERED:
        return read_digest(path)
    memory = memory_file()
    known = recall(memory)
    entry = known.get(path)
    if isinstance(entry, list) and entry[:2] == [size, modified] and len(entry) == 3:
        return str(entry[2])
    found = read_digest(path)
    remember(memory, {**known, path: [size, modified, found]})
    return found


def read_digest(path: str) -> str:
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def memory_file() -> Path:
    """`digests.json` where `LEGOC_CACHE` says, else in the user's cache folder."""
    if named := os.environ.get("LEGOC_CACHE"):
        return Path(named) / "digests.json"
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "legoc" / "digests.json"


def recall(memory: Path) -> dict[str, Any]:
    """What is remembered; nothing where the file is missing or damaged."""
    try:
        found = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(memory: Path, known: dict[str, Any]) -> None:
    """Replace the memory whole. Of two processes the later wins, which costs time and nothing
    else."""
    kept = dict(list(known.items())[-MOST:])
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_text(memory, json.dumps(kept))
