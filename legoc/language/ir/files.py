"""Digests of files by their bytes, remembered by the state of the file, and fingerprints of the
folders of language models.

Word vectors are gigabytes and a check is instant, so digests of large files are kept in the user's
cache folder. Where that cannot be written, they are computed again.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from legoc.writing import write_text


REMEMBERED = 1 << 20
MOST = 4096
SETTLED = 2.0  # seconds; the coarsest clock of a common file system

State = tuple[int, int, int, int]

# Of a file of weights as many places are looked at, each so long.
PLACES, STRETCH = 16, 4096
WEIGHTS = ".safetensors"
WHOLE = ("config.json", "tokenizer.json")


def file_digest(path: str) -> str | None:
    """SHA-256 of the bytes of a file, or None where there is none to read."""
    try:
        state = settled_state(path)
        return read_digest(path) if state is None else digest_of(os.path.abspath(path), state)
    except OSError:
        return None


def settled_state(path: str | os.PathLike[str]) -> State | None:
    """What a file's content is remembered by; None where it may change without a trace.

    Size and modification time stay when content is copied over with its times, or written twice
    within a tick of the clock. The inode and the time of its last change catch the first, and a
    file that changed a moment ago is not remembered at all.
    """
    found = os.stat(path)
    last = max(found.st_mtime_ns, found.st_ctime_ns) / 1e9
    if time.time() - last < SETTLED:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@lru_cache(maxsize=256)
def digest_of(path: str, state: State) -> str:
    if state[0] < REMEMBERED:
        return read_digest(path)
    memory = memory_file()
    known = recall(memory)
    entry = known.get(path)
    if isinstance(entry, list) and entry[:-1] == list(state) and isinstance(entry[-1], str):
        return entry[-1]
    found = read_digest(path)
    # One that was written while it was read is of no state.
    if settled_state(path) == state:
        remember(memory, {**known, path: [*state, found]})
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
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_text(memory, json.dumps(kept))
