"""The files of a folder of frozen states while it is built: room on the disk, progress, one builder
at a time."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.language.diagnosing.diagnostics import fail
from legoc.writing import write_text


try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

VALUES, FIRSTS, PROGRESS = "states.bin", "firsts.npy", "progress.json"


def reserve(path: Path, size: int) -> None:
    """A file of so many bytes that the disk has room for. E0562 where it has none: a write into a
    mapped file that finds no room would kill the process."""
    with path.open("wb") as file:
        try:
            if size and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            # Others mean that this file system cannot tell beforehand.
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                file.truncate(0)
                raise full(path, size) from None
        file.truncate(size)


def full(path: Path, size: int) -> Exception:
    return fail(
        "E0562",
        f"the frozen states of all items take {size / 2**30:,.1f} GiB, and the disk of "
        f"`{path.parent.parent}` has no room for them",
        "make room, name another folder with `--cache`, or keep narrower ones, `states=float16`",
    )


def map_values(path: Path, dtype: Any, width: int) -> NDArray[Any]:
    """The values [T, W] of a file; an empty file cannot be mapped."""
    if path.stat().st_size == 0:
        return np.zeros((0, width), dtype=dtype)
    mode = "r+" if path.parent.name.startswith(".") else "r"
    return np.memmap(path, dtype=dtype, mode=mode).reshape(-1, width)


def read_progress(part: Path) -> int:
    """The last item that an earlier attempt has put on the disk for certain; 0 where nothing is."""
    try:
        done = json.loads((part / PROGRESS).read_text(encoding="utf-8"))["done"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    whole = (part / VALUES).is_file() and (part / FIRSTS).is_file()
    return int(done) if whole else 0


def write_progress(part: Path, values: NDArray[Any], done: int) -> None:
    """Bring the values to the disk, and then say how far they go."""
    if isinstance(values, np.memmap):
        values.flush()
    write_text(part / PROGRESS, json.dumps({"done": done}))


@contextmanager
def locked(part: Path) -> Iterator[None]:
    """One process at a time builds a folder; the others wait and then find it finished."""
    if fcntl is None:
        yield
        return
    # Closing the file lets go of the lock.
    with (part.parent / f"{part.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
