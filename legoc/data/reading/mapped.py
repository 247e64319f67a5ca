"""Matrices that are written through memory, in files the disk has room for."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike


def map_matrix(path: Path, dtype: DTypeLike, shape: tuple[int, int]) -> "np.memmap[Any, Any]":
    """A matrix of zeros in a new `.npy`. Raises OSError where the disk has no room for all of it: a
    write into a mapped file that finds none kills the process."""
    made = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    size = path.stat().st_size
    with path.open("r+b") as file:
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            # Others mean that this file system cannot tell beforehand.
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
    return made
