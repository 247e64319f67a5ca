"""A bundle on disk, verified: paths, sizes and hashes before anything of it is used."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc_runtime.errors import BundleError
from legoc_runtime.manifest import Entry, Manifest, read_manifest
from legoc_runtime.paths import locate


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A folder whose every file is what its manifest says. `parts` is the manifest as values."""

    path: Path
    parts: Manifest

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as it is written."""
        return self.parts.raw

    def file(self, name: str) -> Path:
        return locate(self.path, name)


def open_bundle(path: Path | str) -> Bundle:
    """Verify a bundle and give it as a value; no graph is loaded.

    Raises BundleError, naming the file, for a format this runtime does not know, for a path that
    leads out of the folder or over a link, and for a file that is missing or changed.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    for name, entry in manifest.files.items():
        verify_file(locate(folder, name), name, entry)
    verify_graph_folders(folder, manifest)
    return Bundle(path=folder, parts=manifest)


def verify_file(path: Path, name: str, entry: Entry) -> None:
    size = path.stat().st_size
    if size != entry.bytes:
        raise BundleError(
            f"`{name}` has {size:,} bytes, the manifest says {entry.bytes:,}",
            "copy the bundle again or export it again",
        )
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != entry.sha256.lower():
        raise BundleError(
            f"`{name}` is not the file the bundle was written with: its hash differs",
            "copy the bundle again or export it again",
        )


def verify_graph_folders(folder: Path, manifest: Manifest) -> None:
    """A graph can name a file beside it as its weights, so nothing unverified may lie there."""
    for parent in {Path(graph.file).parent for graph in manifest.graphs.values()}:
        for path in sorted((folder / parent).iterdir()):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or (path.is_file() and name not in manifest.files):
                raise BundleError(
                    f"`{name}` is not in the manifest", "remove it, or copy the bundle again"
                )
