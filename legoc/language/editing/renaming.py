"""Everything one name stands for, across files, and another name for it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.names import (
    Occurrence,
    Subject,
    declared_at,
    mentions,
    occurrence_at,
    occurrences,
)
from legoc.language.resolving.scope import Scope
from legoc.language.syntax.scan import RESERVED


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, eq=False, kw_only=True)
class Usage:
    """The occurrences of one subject in one file."""

    scope: Scope
    found: tuple[Occurrence, ...]

    @property
    def document(self) -> Document:
        return self.scope.document


def usages(
    document: Document, offset: int, buffers: Buffers, others: Iterable[str] = ()
) -> tuple[Usage, ...]:
    """Where the name at an offset occurs, its own document first; empty where no name stands.

    others: paths of files that may use the one that declares it. Files that cannot be read are
    passed over.
    """
    scope = buffers.scope(document)
    at = occurrence_at(scope, offset)
    if at is None:
        return ()
    found = [Usage(scope=scope, found=tuple(of_subject(scope, at.subject)))]
    seen = {document}
    for other in (declared_at(at.subject).document, *readable(others, buffers)):
        if other in seen or not mentions(other, declared_at(at.subject).text):
            continue
        seen.add(other)
        scope = buffers.scope(other)
        there = tuple(of_subject(scope, at.subject))
        if there:
            found.append(Usage(scope=scope, found=there))
    return tuple(found)


def of_subject(scope: Scope, subject: Subject) -> Iterable[Occurrence]:
    return (each for each in occurrences(scope) if each.subject is subject)


def readable(paths: Iterable[str], buffers: Buffers) -> Iterable[Document]:
    for path in paths:
        try:
            yield buffers.read(path)
        except (OSError, UnicodeDecodeError, ValueError):
            continue


def renamed(found: Sequence[Usage], name: str) -> tuple[Span, ...]:
    """The places to write another name in. Raises LegoError where that cannot be or would change
    what a file means."""
    if not found:
        raise fail(
            "E0290", "there is no name to change here",
            "put the cursor on the name of a declaration, a param or the prefix of a file",
        )  # fmt: skip
    old = found[0].found[0].span.text
    if not NAME.fullmatch(name):
        raise fail(
            "E0290", f"`{name}` is no name", "a name has letters, digits and `_`, no digit first"
        )
    if name in RESERVED:
        raise fail(
            "E0209", f"`{name}` is a word of the language", f"choose another, such as `my_{name}`"
        )
    for usage in found:
        verify(usage, old, name)
    return tuple(dict.fromkeys(each.span for usage in found for each in usage.found))


def verify(usage: Usage, old: str, name: str) -> None:
    path = usage.document.path
    wrong = [d for d in usage.scope.parsed.diagnostics if d.severity == "error"]
    if wrong:
        raise fail(
            "E0290", f"`{path}` cannot be read as a whole, so a use of `{old}` may be hidden",
            "mend its syntax first",
        )  # fmt: skip
    own = any(each.act != "refers" for each in usage.found)
    if own and name != old and name in usage.scope.names:
        raise fail("E0204", f"`{path}` already has the name `{name}`", "choose another name")
