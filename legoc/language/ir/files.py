"""Digests of files by their bytes, remembered by size and modification time, and fingerprints of
the folders of language models.

Word vectors are gigabytes and a check is instant, so digests of large files are kept in the user's
cache folder. Where that cannot be written, they are computed again.
"""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any


REMEMBERED = 1 << 20
MOST = 4096

# Of a file of weights as many places are looked at, each so long.
PLACES, STRETCH = 16, 4096
WEIGHTS = ".safetensors"
WHOLE = ("config.json", "tokenizer.json")


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


def model_fingerprint(folder: str) -> str | None:
    """What tells the language model in a folder from others, None where there is no folder: its
    configuration and tokenizer, and of each file of weights the size and the bytes at places spread
    over it. Gigabytes are not read, for a check is instant; whoever trains digests them whole."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    found = hashlib.sha256()
    for name in names:
        path = os.path.join(folder, name)
        if name in WHOLE and (content := file_digest(path)) is not None:
            found.update(f"{name} {content}\n".encode())
        if name.endswith(WEIGHTS):
            size, content = sample_digest(path)
            found.update(f"{name} {size} {content}\n".encode())
    return found.hexdigest()


def sample_digest(path: str) -> tuple[int, str]:
    """The size of a file, and the SHA-256 of stretches of it, its first and its last included."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as content:
            size = os.fstat(content.fileno()).st_size
            for place in range(PLACES):
                content.seek(max(size - STRETCH, 0) * place // (PLACES - 1))
                found.update(content.read(STRETCH))
    except OSError:
        return 0, ""
    return size, found.hexdigest()


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
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        fresh = memory.with_name(f"digests-{os.getpid()}.json")
        try:
            fresh.write_text(json.dumps(kept), encoding="utf-8")
            fresh.replace(memory)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError:
        return
