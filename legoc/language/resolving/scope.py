"""Files and the names in them: `use` brings names in one by one or under a prefix.

Every file is read once, however many use it. What is wrong with a file is collected; a name that
may have been declared in an unreadable part of a file counts as lost, not as unknown.
"""

import os
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from legoc.language.diagnosing.diagnostics import Diagnostic, Label, refusal
from legoc.language.diagnosing.document import Document, Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.syntax import tree
from legoc.language.syntax.parse import ANY, Parsed, parse


@dataclass(frozen=True, eq=False)
class Target:
    """What a name means: a declaration or a param, in the scope of its own file; or a whole file
    under a prefix (`item` is None)."""

    scope: "Scope"
    item: tree.Setting | tree.Declared | None
    span: Span

    @property
    def kind(self) -> str:
        if self.item is None:
            return "prefix"
        return self.item.kind if isinstance(self.item, tree.Declared) else "param"


@dataclass(frozen=True, eq=False)
class Scope:
    """The names of one file. `lost` may have been names as well."""

    parsed: Parsed
    names: Mapping[str, Target]
    lost: Set[str]

    def may_have(self, name: str) -> bool:
        """Whether a name may have stood in a part of the file that could not be read."""
        return name in self.lost or ANY in self.lost

    @property
    def document(self) -> Document:
        return self.parsed.document


Loaded: TypeAlias = "Scope | None"


def read_document(path: str) -> Document:
    """The text of a file. Raises OSError or UnicodeDecodeError."""
    return Document(path, Path(path).read_text("utf-8-sig"))


@dataclass(frozen=True, eq=False)
class Files:
    """The files read so far by their real path; None while one is being read or cannot be.

    read, parse: where texts and trees come from: the disk, unless an editor holds newer ones.
    """

    scopes: dict[str, Loaded] = field(default_factory=dict[str, "Scope | None"])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    read: Callable[[str], Document] = read_document
    parse: Callable[[Document], Parsed] = parse

    def documents(self) -> tuple[Document, ...]:
        return tuple(scope.document for scope in self.scopes.values() if scope is not None)


def enter(document: Document, files: Files, trail: tuple[str, ...] = ()) -> Scope:
    """The scope of a document; files it uses are read."""
    real = os.path.realpath(document.path)
    files.scopes[real] = None
    parsed = files.parse(document)
    files.found.extend(parsed.diagnostics)
    names: dict[str, Target] = {}
    lost: set[str] = set(parsed.lost)
    scope = Scope(parsed, names, lost)

    def declare(word: tree.Word, target: Target) -> None:
        known = names.get(word.text)
        if known is None:
            names[word.text] = target
        else:
            files.found.append(second(word, known.span))

    for item in parsed.tree.items:
        if isinstance(item, tree.Use):
            used = used_scope(item, document, files, (*trail, real))
            if used is None:
                lost.update(word.text for word in (*item.names, item.prefix) if word)
                continue
            if item.prefix is not None:
                declare(item.prefix, Target(used, None, item.prefix.span))
            for word in item.names:
                found = used.names.get(word.text)
                if found is not None and found.item is not None:
                    declare(word, Target(found.scope, found.item, word.span))
                    continue
                lost.add(word.text)
                if not used.may_have(word.text):
                    files.found.append(not_there(word, used))
        elif not isinstance(item, tree.Run):
            declare(item.name, Target(scope, item, item.name.span))
    files.scopes[real] = scope
    return scope


def used_scope(use: tree.Use, document: Document, files: Files, trail: tuple[str, ...]) -> Loaded:
    """The scope of a used file; None where there is none to be had, which has been reported."""
    path = os.path.normpath(os.path.join(os.path.dirname(document.path), use.file.value))
    if not path.isprintable():
        files.found.append(unreadable(path, use.file.span, ValueError("a path of this kind")))
        return None
    real = os.path.realpath(path)
    if real in trail:
        around = [os.path.basename(each) for each in (*trail[trail.index(real) :], real)]
        message = f"`{use.file.value}` is used in a circle"
        files.found.append(
            Diagnostic(
                code="E0203",
                message=message,
                labels=(Label(span=use.file.span, text="comes back to itself", primary=True),),
                notes=(" uses ".join(f"`{name}`" for name in around),),
                help=("move what both files need into a third one",),
            )
        )
        return None
    if real in files.scopes:
        return files.scopes[real]
    try:
        used = files.read(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        files.scopes[real] = None
        files.found.append(unreadable(path, use.file.span, error))
        return None
    return enter(used, files, trail)


def unreadable(path: str, span: Span | None, error: Exception) -> Diagnostic:
    """E0201, with the neighbour that was probably meant."""
    if isinstance(error, FileNotFoundError):
        message, label = f"there is no file `{path}`", "no such file"
    elif isinstance(error, IsADirectoryError):
        message, label = f"`{path}` is a folder", "a folder"
    elif isinstance(error, UnicodeDecodeError):
        message, label = f"`{path}` is not UTF-8 text", "not text"
    else:
        reason = getattr(error, "strerror", None) or str(error)
        message, label = f"`{path}` cannot be read: {reason.lower()}", "cannot be read"
    folder = os.path.dirname(path) or "."
    try:
        neighbours = sorted(name for name in os.listdir(folder) if name.endswith(".lego"))
    except (OSError, ValueError):
        neighbours = []
    stems = [os.path.splitext(name)[0] for name in neighbours]
    stem = os.path.splitext(os.path.basename(path))[0]
    close = nearest(stem, stems)
    if close and isinstance(error, FileNotFoundError):
        help = f"did you mean `{close}.lego`?"
    else:
        help = "paths are relative to the folder of the file that states them"
        if span is None:
            help = "give the path of a .lego file"
    labels = (Label(span=span, text=label, primary=True),) if span else ()
    return Diagnostic(code="E0201", message=message, labels=labels, help=(help,))


def second(word: tree.Word, first: Span) -> Diagnostic:
    return Diagnostic(
        code="E0204",
        message=f"`{word.text}` is defined twice",
        labels=(
            Label(span=word.span, text="second definition", primary=True),
            Label(span=first, text="first definition"),
        ),
        help=("rename one of them; a file that is used may be taken `as` a prefix",),
    )


def not_there(word: tree.Word, used: Scope) -> Diagnostic:
    names = [name for name, target in used.names.items() if target.item is not None]
    close = nearest(word.text, names)
    path = os.path.basename(used.document.path)
    help = f"did you mean `{close}`?" if close else f"it declares {listing(names, quote='`')}"
    if not names:
        help = "it declares nothing"
    return refusal("E0202", word.span, f"`{path}` declares no `{word.text}`", "not there", help)
