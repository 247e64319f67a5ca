"""The texts an editor holds, and every parse kept until its text changes.

Files that are not open are read from the disk and read again when their time or size changes.
"""

import os
from dataclasses import dataclass, field
from typing import TypeAlias

from legoc.language.diagnosing.document import Document
from legoc.language.resolving.scope import Files, Scope, enter, read_document
from legoc.language.syntax.parse import Parsed, parse


# Of files and of trees; a project has fewer.
KEPT = 2000
State: TypeAlias = "tuple[int, int] | None"


@dataclass(frozen=True, eq=False)
class Buffers:
    """Open texts and known files by their real path. One document stands for one version of a text,
    so what is derived from it can be kept under its identity."""

    opened: dict[str, Document] = field(default_factory=dict[str, Document])
    closed: dict[str, tuple[State, Document]] = field(
        default_factory=dict[str, "tuple[State, Document]"]
    )
    trees: dict[int, tuple[Document, Parsed]] = field(
        default_factory=dict[int, "tuple[Document, Parsed]"]
    )

    def open(self, path: str, text: str) -> Document:
        """Hold a text, in place of an earlier version of it."""
        real = os.path.realpath(path)
        self.forget(self.opened.get(real))
        document = Document(path, text)
        self.opened[real] = document
        return document

    def close(self, path: str) -> None:
        """Give a text up; from now on the file counts."""
        self.forget(self.opened.pop(os.path.realpath(path), None))

    def forget(self, document: Document | None) -> None:
        if document is not None:
            self.trees.pop(id(document), None)

    def find(self, path: str) -> Document | None:
        """The open text of a path."""
        return self.opened.get(os.path.realpath(path))

    def read(self, path: str) -> Document:
        """The text of a file, open or not. Raises OSError, UnicodeDecodeError or ValueError."""
        real = os.path.realpath(path)
        known = self.opened.get(real)
        if known is not None:
            return known
        found = os.stat(real)
        state = found.st_mtime_ns, found.st_size
        kept = self.closed.get(real)
        if kept is not None and kept[0] == state:
            return kept[1]
        if kept is not None:
            self.forget(kept[1])
        elif len(self.closed) >= KEPT:
            self.forget(self.closed.pop(next(iter(self.closed)))[1])
        document = read_document(path)
        self.closed[real] = state, document
        return document

    def parse(self, document: Document) -> Parsed:
        """The tree of a document; one parse for each version."""
        known = self.trees.get(id(document))
        if known is None:
            if len(self.trees) >= KEPT:
                self.trees.pop(next(iter(self.trees)), None)
            # The document is kept with its tree, so that its identity cannot pass to another.
            known = document, parse(document)
            self.trees[id(document)] = known
        return known[1]

    def files(self) -> Files:
        """A reading of files that sees what is open."""
        return Files(read=self.read, parse=self.parse)

    def scope(self, document: Document) -> Scope:
        """The names of a document, those it uses included."""
        return enter(document, self.files())
