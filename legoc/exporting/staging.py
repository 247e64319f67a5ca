"""A bundle that appears complete or not at all, and only where a bundle may be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legoc.language.diagnosing.diagnostics import fail
from legoc.writing import replacing_folder


MANIFEST = "manifest.json"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yields an empty folder, which takes the place of `folder` when the block ends and is removed
    when the block fails. Errors: E0830 where `folder` holds something other than a bundle."""
    verify_place(folder)
    with replacing_folder(folder) as place:
        yield place
        # It may have been filled by somebody else in the meantime, and hours have passed.
        verify_place(folder)


def verify_place(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise fail("E0830", f"`{folder}` is not a folder", "name a new folder for the bundle")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise fail(
            "E0830",
            f"`{folder}` holds files that are not of a bundle",
            "name a new folder, or empty this one",
        )
