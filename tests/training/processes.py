"""What tests ask of the processes that a command has started."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


PATIENCE = 240.0


def wait_for(true: Callable[[], Any], what: str) -> Any:
    """What `true` gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE:.0f} s for {what}")


def read(path: Path) -> str:
    """A file that may be gone at any moment."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def parents() -> dict[int, list[int]]:
    """The processes that each process has started."""
    found: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if text := read(path):
            parent = int(text.rpartition(")")[2].split()[1])
            found.setdefault(parent, []).append(int(path.parent.name))
    return found


def workers(number: int) -> list[int]:
    """The processes that a process has started itself."""
    return parents().get(number, [])


def descendants(number: int) -> list[int]:
    """The processes that a process, or one of those, has started."""
    every = parents()
    found: list[int] = []
    waiting = [number]
    while waiting:
        children = every.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def alive(number: int) -> bool:
    """Whether a process is there and has not ended yet."""
    text = read(Path(f"/proc/{number}/stat"))
    return bool(text) and text.rpartition(")")[2].split()[0] != "Z"


def title(number: int) -> str:
    """The command of a process."""
    return read(Path(f"/proc/{number}/cmdline")).replace("\0", " ").strip()
