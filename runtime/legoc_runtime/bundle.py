"""A bundle, opened once: what was verified is what is used.

Every file is read (or mapped), its size and hash are compared with the manifest, and from then on
nobody opens it again: graphs, tables and tokenizers are made of the bytes that were compared.
"""

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from legoc_runtime.agreement import verify_agreement
from legoc_runtime.errors import BundleError
from legoc_runtime.manifest import Entry, Graph, Manifest, parse_manifest
from legoc_runtime.paths import open_file


MANIFEST = "manifest.json"
MANIFEST_LIMIT = 64 << 20
ATTEMPTS = 40
PAUSE = 0.01  # seconds

Content = bytes | mmap.mmap


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A folder whose every file is what its manifest says. `parts` is the manifest as values,
    `contents` what the files hold."""

    path: Path
    parts: Manifest
    contents: Mapping[str, Content] = field(repr=False)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as it is written."""
        return self.parts.raw

    def read(self, name: str) -> bytes:
        """The bytes of a file, as they were verified. Raises BundleError where there is none."""
        content = self.contents.get(name)
        if content is None:
            raise BundleError(f"the bundle has no {name}", "export the bundle again")
        return content if isinstance(content, bytes) else content[:]

    def weights(self, graph: Graph) -> dict[str, Content]:
        """The files beside a graph that it may name as its weights, as it would name them."""
        parent = Path(graph.file).parent
        return {
            Path(name).relative_to(parent).as_posix(): self.contents[name]
            for name in weight_files(self.parts)
            if Path(name).is_relative_to(parent)
        }

    def keeping(self, names: Collection[str]) -> "Bundle":
        """The same with the bytes of these files alone, for when all else is loaded."""
        return replace(self, contents={n: c for n, c in self.contents.items() if n in names})


def open_bundle(path: Path | str) -> Bundle:
    """Verify a bundle and give it as a value; no graph is loaded.

    One that is replaced meanwhile is opened anew, so the parts always belong together. Raises
    BundleError, naming the file, for a format this runtime does not know, for a path that leads out
    of the folder or over a link, and for a file that is missing or changed.
    """
    folder = Path(path)
    for attempt in range(ATTEMPTS):
        with watched(folder) as unchanged:
            try:
                return read_bundle(folder)
            except BundleError:
                # Where names are swapped in two steps there is none for a moment.
                absent = attempt == 0 and not folder.exists()
                if attempt + 1 == ATTEMPTS or (unchanged() and not absent):
                    raise
        time.sleep(PAUSE)
    raise AssertionError("the last attempt gives or raises")


@contextmanager
def watched(folder: Path) -> Generator[Callable[[], bool], None, None]:
    """Gives a function that tells whether the path still leads to the folder it leads to now."""
    try:
        # Held open, its number is not given to the folder that takes its place.
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # there is none, or the system opens no folders
        handle = None
    try:
        before = identify(folder)
        yield lambda: identify(folder) == before
    finally:
        if handle is not None:
            os.close(handle)


def identify(folder: Path) -> tuple[int, int, int] | None:
    """What tells two folders of one path apart; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns if os.name == "nt" else 0


def read_bundle(folder: Path) -> Bundle:
    """The bundle in a folder, every file verified."""
    manifest = read_manifest(folder)
    mapped = weight_files(manifest)
    if manifest.index is not None:
        mapped.add(manifest.index.file)
    contents = {
        name: read_content(folder, name, entry, mapped=name in mapped)
        for name, entry in manifest.files.items()
    }
    verify_graph_folders(folder, manifest)
    return Bundle(path=folder, parts=manifest, contents=contents)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`, checked for its form."""
    if not folder.is_dir():
        raise BundleError(f"there is no bundle at `{folder}`", "check the path")
    if not (folder / MANIFEST).exists():
        raise BundleError(
            f"`{folder}` has no manifest.json, so it is not a bundle",
            "name a folder that `legoc export` wrote, such as the folder `bundle` of a run",
        )
    with open_file(folder, MANIFEST) as file:
        content = file.read(MANIFEST_LIMIT + 1)
    if len(content) > MANIFEST_LIMIT:
        raise BundleError("manifest.json is far too large for a manifest", "do not use this bundle")
    manifest = parse_manifest(content)
    verify_agreement(manifest)
    return manifest


def read_content(folder: Path, name: str, entry: Entry, *, mapped: bool) -> Content:
    """What a file holds, compared with its entry.

    mapped: weights of graphs and an index are larger than memory should hold twice. They are
    mapped, from the opening that is verified, and live only until somebody has a copy of his own.
    """
    with open_file(folder, name) as file:
        size = os.fstat(file.fileno()).st_size
        if size != entry.bytes:
            raise BundleError(
                f"`{name}` has {size:,} bytes, the manifest says {entry.bytes:,}",
                "copy the bundle again or export it again",
            )
        if mapped and size:
            content: Content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        else:
            content = file.read()
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise BundleError(
            f"`{name}` is not the file the bundle was written with: its hash differs",
            "copy the bundle again or export it again",
        )
    return content


def weight_files(manifest: Manifest) -> set[str]:
    """The files in the graphs' folders, and below them, that are no graphs."""
    graphs = {graph.file for graph in manifest.graphs.values()}
    parents = {Path(file).parent for file in graphs}
    return {
        name
        for name in manifest.files.keys() - graphs
        if any(parent != Path() and Path(name).is_relative_to(parent) for parent in parents)
    }


def verify_graph_folders(folder: Path, manifest: Manifest) -> None:
    """A graph can name a file beside it, or deeper, as its weights; hosts that load it by its path
    would read what nobody verified."""
    for parent in {Path(graph.file).parent for graph in manifest.graphs.values()}:
        for path in sorted((folder / parent).rglob("*")):
            name = path.relative_to(folder).as_posix()
            plain = path.is_dir() or name in manifest.files or name == MANIFEST
            if path.is_symlink() or not plain:
                raise BundleError(
                    f"`{name}` is not in the manifest", "remove it, or copy the bundle again"
                )
