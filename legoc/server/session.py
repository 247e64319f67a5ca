"""What the server knows of one editor: its open documents, its folders, how it counts columns."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.buffers import Buffers
from legoc.language.resolving.scope import Scope
from legoc.server.positions import change, to_offset, to_range


# A folder opened by mistake, such as a home, must not be walked to its end.
MOST_ENTRIES = 20_000


@dataclass(eq=False, kw_only=True)
class Session:
    """Open documents by their address, with the version the editor counts."""

    buffers: Buffers = field(default_factory=Buffers)
    encoding: str = "utf-16"
    roots: tuple[str, ...] = ()
    versions: dict[str, int] = field(default_factory=dict[str, int])
    known: Catalog = field(default_factory=catalog)

    def open(self, uri: str, version: int, text: str) -> None:
        self.versions[uri] = version
        self.buffers.open(path_of(uri), text)

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply the changes of one message, each to what the one before left."""
        uri = params.text_document.uri
        path = path_of(uri)
        known = self.buffers.find(path)
        text = known.text if known is not None else ""
        for event in params.content_changes:
            text = change(text, event, self.encoding)
        self.versions[uri] = params.text_document.version
        self.buffers.open(path, text)

    def close(self, uri: str) -> None:
        self.versions.pop(uri, None)
        self.buffers.close(path_of(uri))

    def document(self, uri: str) -> Document:
        """The text of an address. Raises KeyError where the editor has not opened it."""
        found = self.buffers.find(path_of(uri))
        if found is None:
            raise KeyError(uri)
        return found

    def scope(self, document: Document) -> Scope:
        return self.buffers.scope(document)

    def place(self, uri: str, position: types.Position) -> tuple[Document, int]:
        """A document and the offset of a position in it."""
        document = self.document(uri)
        return document, to_offset(document.text, position, self.encoding)

    def range(self, span: Span) -> types.Range:
        return to_range(span, self.encoding)

    def location(self, span: Span) -> types.Location:
        return types.Location(self.uri(span.path), self.range(span))

    def uri(self, path: str) -> str:
        """The address of a path: the editor's own where it is open."""
        real = os.path.realpath(path)
        for uri in self.versions:
            if os.path.realpath(path_of(uri)) == real:
                return uri
        absolute = os.path.abspath(path)
        return from_fs_path(absolute) or absolute

    def files(self) -> Iterator[str]:
        """The .lego files of the editor's folders and of those beside its open documents."""
        seen: set[str] = set()
        folders = {*self.roots, *(os.path.dirname(path_of(uri)) for uri in self.versions)}
        for folder in sorted(folders):
            for path in walk(folder):
                real = os.path.realpath(path)
                if real not in seen:
                    seen.add(real)
                    yield path


def walk(folder: str) -> Iterator[str]:
    entries = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "node_modules")
        entries += len(folders) + len(names)
        if entries > MOST_ENTRIES:
            return
        yield from (os.path.join(here, name) for name in sorted(names) if name.endswith(".lego"))


def path_of(uri: str) -> str:
    """The path of an address; of a text that has never been saved, the address itself."""
    if not uri.startswith("file:"):
        return uri
    return to_fs_path(uri) or uri
