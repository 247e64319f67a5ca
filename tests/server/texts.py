"""Texts with a place marked `|`, and the shipped specs to ask about."""

from pathlib import Path

from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.completion import complete
from legoc.language.editing.proposals import Proposal


ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "specs").glob("*.lego"))
KNOWN = catalog()


def marked(text: str, path: str = "t.lego") -> tuple[Document, int, Buffers]:
    """An open document, the place marked in it, and where it is open."""
    place = text.index("|")
    buffers = Buffers()
    return buffers.open(path, text[:place] + text[place + 1 :]), place, buffers


def proposals(text: str, path: str = "t.lego") -> tuple[Proposal, ...]:
    document, place, buffers = marked(text, path)
    return complete(document, place, buffers.scope(document), KNOWN, buffers.files())


def labels(text: str, path: str = "t.lego") -> list[str]:
    return [each.label for each in proposals(text, path)]
