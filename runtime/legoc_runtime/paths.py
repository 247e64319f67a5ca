"""Paths a bundle names: relative, inside the bundle, and no links on the way."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from legoc_runtime.errors import BundleError


# Absent on Windows, where the parts that matter have other means.
NAMES = ("O_RDONLY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
FLAGS = sum(getattr(os, name, 0) for name in NAMES)


def locate(folder: Path, name: object) -> Path:
    """The file `name` of a bundle.

    `name` uses `/`, is relative and has no `.` or `..`; neither the file nor a folder on the way
    to it below `folder` is a link. Raises BundleError otherwise, or where there is no such file.
    """
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name or ":" in name:
        raise BundleError(f"`{name}` is not a path a bundle may name", "export the bundle again")
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise BundleError(f"`{name}` leads out of the bundle", "do not use this bundle")
    path = folder
    try:
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise BundleError(
                    f"`{name}` is reached by a link", "copy the bundle's files in place"
                )
        there = path.is_file()
    except OSError:  # such as a name that is too long
        there = False
    if not there:
        raise missing(folder, name)
    return path


def open_file(folder: Path, name: str) -> BinaryIO:
    """The file `name` of a bundle, opened for reading. Raises BundleError as `locate` does, and
    where it cannot be opened or is not a plain file."""
    path = locate(folder, name)
    try:
        handle = os.open(path, FLAGS)
    except FileNotFoundError:
        raise missing(folder, name) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BundleError(
            f"`{name}` cannot be read: {reason}", "check the permissions of the bundle's files"
        ) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise missing(folder, name)
    return os.fdopen(handle, "rb")


def missing(folder: Path, name: str) -> BundleError:
    return BundleError(f"`{name}` is missing from `{folder}`", "copy or export the bundle again")
