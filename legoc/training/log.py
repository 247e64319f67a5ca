"""log.jsonl: one line per update, evaluation and end of a training."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO


def read_monitor(path: Path, name: str) -> dict[int, float]:
    """A metric by epoch, as far as a log says it; the later one of an epoch that was done again."""
    found: dict[int, float] = {}
    for line in path.read_bytes().splitlines():
        if line.startswith(b'{"event": "evaluation"'):
            entry = json.loads(line)
            found[entry["epoch"]] = entry["metrics"][name]
    return found


class RunLog:
    """Appends entries to a log that begins, or goes on, at a known length.

    What lies behind `start` was written after the state that training resumes from; it is cut off,
    so a resumed run leaves the same log as one that was never interrupted, times aside.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.file: BinaryIO = open(path, "ab")  # noqa: SIM115 - closed by close()
        self.file.truncate(min(start, path.stat().st_size))
        self.file.seek(0, os.SEEK_END)

    @property
    def length(self) -> int:
        return self.file.tell()

    def write(self, event: str, **entry: Any) -> None:
        line = json.dumps({"event": event, **entry}, ensure_ascii=False)
        self.file.write(line.encode() + b"\n")

    def sync(self) -> None:
        """Make the entries so far survive a crash."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        self.file.close()
