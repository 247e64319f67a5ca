"""Paths a bundle names: relative, inside the bundle, and no links on the way."""

from pathlib import Path

from legoc_runtime.errors import BundleError


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
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise BundleError(f"`{name}` is reached by a link", "copy the bundle's files in place")
    if not path.is_file():
        raise BundleError(f"`{name}` is missing from `{folder}`", "copy or export the bundle again")
    return path
