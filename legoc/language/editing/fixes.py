"""Safe fixes put into a file: spelling and the form of a number, never what changes a model.

Fixes are applied in rounds, since mending one mistake may show the next; the file is written once,
whole, at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from legoc.language.checking import check
from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix
from legoc.language.diagnosing.document import Document
from legoc.writing import write_text


ROUNDS = 50
BOM = "\ufeff"


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A text after its safe fixes. `applied` are the diagnostics they answer, with places in the
    text as it was in their round."""

    text: str
    applied: tuple[Diagnostic, ...]


def mend(
    document: Document, *, overrides: Sequence[str] = (), known: Catalog | None = None
) -> Mended:
    """Apply the safe fixes of a document until none is left; `ask` ones never. Files it uses are
    read and left as they are."""
    applied: list[Diagnostic] = []
    texts = {document.text}
    for _ in range(ROUNDS):
        found = check(document, overrides=overrides, known=known).diagnostics
        chosen = apart(d for d in found if is_safe(d.fix, document))
        text = apply(document.text, [d.fix for d in chosen if d.fix is not None])
        # Two fixes that undo each other would go on for ever.
        if text in texts:
            break
        texts.add(text)
        applied += chosen
        document = Document(document.path, text)
    return Mended(text=document.text, applied=tuple(applied))


def is_safe(fix: Fix | None, document: Document) -> bool:
    return fix is not None and fix.grade == "safe" and fix.span.document == document


def apart(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Diagnostics whose fixes touch different places, in the order of the text."""
    chosen: list[Diagnostic] = []
    end = -1
    for diagnostic in sorted(diagnostics, key=start_of):
        fix = diagnostic.fix
        if fix is not None and fix.span.start > end:
            chosen.append(diagnostic)
            end = fix.span.end
    return chosen


def start_of(diagnostic: Diagnostic) -> int:
    return diagnostic.fix.span.start if diagnostic.fix is not None else -1


def apply(text: str, fixes: Sequence[Fix]) -> str:
    """The text with fixes put in, which lie apart and in order."""
    for fix in reversed(fixes):
        text = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    return text


def fix_file(path: str, *, overrides: Sequence[str] = ()) -> tuple[Diagnostic, ...]:
    """Apply the safe fixes of a file in place and return what they answer. A file that cannot be
    read is left to the check, which says so. Raises OSError where it cannot be written."""
    try:
        read = Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        return ()
    text = read.removeprefix(BOM)
    mended = mend(Document(path, text), overrides=overrides)
    if mended.text != text:
        replace_text(path, read[: len(read) - len(text)] + mended.text)
    return mended.applied


def replace_text(path: str, text: str) -> None:
    """Replace what a file holds, whole or not at all; links and permissions stay."""
    write_text(path, text)
