"""A folder that appears complete or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legoc.language.diagnosing.diagnostics import fail


MANIFEST = "manifest.json"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yields an empty sibling of `folder`, which takes its place when the block ends and is removed
    when the block fails. Errors: E0830 where `folder` holds something other than a bundle."""
    verify_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        # mkdtemp makes it private; a bundle is as readable as any folder of the user.
        place.chmod(0o777 & ~current_umask())
        yield place
        for path in (*place.rglob("*"), place):
            flush(path)
        replace(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def verify_place(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise fail("E0830", f"`{folder}` is not a folder", "name a new folder for the bundle")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise fail(
            "E0830",
            f"`{folder}` holds files that are not of a bundle",
            "name a new folder, or empty this one",
        )


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def flush(path: Path) -> None:
    """Makes sure that the content has reached the disk before the name does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(place: Path, folder: Path) -> None:
    if folder.is_dir():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        folder.rename(old / "bundle")
        place.rename(folder)
        shutil.rmtree(old)
    else:
        place.rename(folder)
    flush(folder.parent)
