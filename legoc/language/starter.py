"""Starter files: a shipped spec as one file of its own, with its comments, for `legoc new`.

What the spec uses of other files is copied into it, and only that; the paths of data stay as they
are, for the user to change.
"""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.document import Document, Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.resolving.scope import read_document
from legoc.language.syntax import tree
from legoc.language.syntax.fmt import format
from legoc.language.syntax.parse import Parsed, parse


def starters() -> Mapping[str, Path]:
    """The shipped specs that run something, by name."""
    folder = shipped("specs")
    return {
        path.stem: path
        for path in sorted(folder.glob("*.lego"))
        if any(isinstance(item, tree.Run) for item in parsed_starter(path).tree.items)
    }


def starter(name: str) -> str:
    """The text of a starter, formatted. Raises LegoError (E0201) for a name that none has."""
    known = starters()
    if name not in known:
        close = nearest(name, known)
        hint = f"did you mean `{close}`? " if close else ""
        raise fail(
            "E0201", f"no shipped spec is called `{name}`",
            f"{hint}there are {listing(list(known))}",
        )  # fmt: skip
    path = known[name]
    text = whole(path)
    head = (
        f"# Begun with `legoc new {name}`. Everything stands in this file; change what you like.\n"
        "# `legoc check FILE` says what is wrong, `legoc train FILE` runs it.\n\n"
    )
    return format(Document(f"{name}.lego", head + text))


def parsed_starter(path: Path) -> Parsed:
    return parse(read_document(os.fspath(path)))


@lru_cache(maxsize=1)
def operators_of_starters() -> Mapping[str, frozenset[tuple[str, str]]]:
    """The operators each starter names in its stages, as (role, name)."""
    return {name: frozenset(operators_of(path)) for name, path in starters().items()}


def operators_of(path: Path) -> Iterator[tuple[str, str]]:
    for part in tree.walk(parsed_starter(path).tree.items):
        if isinstance(part, tree.Stage):
            given = part.operator
            calls = given.written if isinstance(given, tree.Axis) else (given,)
            yield from ((part.kind, c.path.text) for c in calls if isinstance(c, tree.Invocation))


class Gathered:
    """The declarations a file uses, with those they rest on, in an order in which each stands
    behind what it rests on. They keep their names; where two files differ in one, it is told."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.homes: dict[str, Path] = {}

    def bring(self, name: str, path: Path) -> None:
        """One declaration of a file."""
        parsed = parsed_starter(path)
        item = items(parsed).get(name)
        if item is None:
            for use in uses(parsed):
                if name in {word.text for word in use.names}:
                    self.bring(name, path.parent / use.file.value)
            return
        if name in self.homes:
            if self.homes[name] != path:
                raise fail(
                    "E0204", f"`{name}` is declared in {self.homes[name].name} and {path.name}",
                    "copy the shipped files by hand",
                )  # fmt: skip
            return
        self.homes[name] = path
        # What it rests on is brought in first, and so stands before it.
        self.texts[name] = self.text(item, parsed, path)

    def text(self, part: tree.Part, parsed: Parsed, path: Path) -> str:
        """The text of a declaration with its comments; what it rests on is brought in before it."""
        source = parsed.document.text
        start, end = with_comment(part.span, source)
        return source[start : part.span.start] + self.follow(part, parsed, path) + (
            source[part.span.end : end]
        )  # fmt: skip

    def follow(self, part: tree.Part, parsed: Parsed, path: Path) -> str:
        """The text of a part, `prefix.name` become `name`; everything it names is brought in."""
        prefixes = {use.prefix.text: use for use in uses(parsed) if use.prefix is not None}
        pieces: list[str] = []
        at = part.span.start
        for inner in tree.walk(part):
            if isinstance(inner, tree.Variable):
                self.bring(inner.name, path)
            if not isinstance(inner, tree.Invocation):
                continue
            first, *rest = inner.path.words
            use = prefixes.get(first.text)
            if use is None:
                self.bring(first.text, path)
            elif rest:
                self.bring(rest[0].text, path.parent / use.file.value)
                pieces.append(parsed.document.text[at : first.span.start])
                at = rest[0].span.start
        return "".join([*pieces, parsed.document.text[at : part.span.end]])


def items(parsed: Parsed) -> dict[str, tree.Setting | tree.Declared]:
    found = [i for i in parsed.tree.items if isinstance(i, tree.Setting | tree.Declared)]
    return {item.name.text: item for item in found}


def uses(parsed: Parsed) -> list[tree.Use]:
    return [item for item in parsed.tree.items if isinstance(item, tree.Use)]


def whole(path: Path) -> str:
    """A spec in one file: what it uses stands before what needs it."""
    parsed = parsed_starter(path)
    source = parsed.document.text
    if parsed.tree.bare is not None or not parsed.tree.items:
        return source
    gathered = Gathered()
    runs: list[str] = []
    for item in parsed.tree.items:
        if isinstance(item, tree.Run):
            runs.append(gathered.text(item, parsed, path))
        elif isinstance(item, tree.Use):
            for word in item.names:
                gathered.bring(word.text, path)
        else:
            gathered.bring(item.name.text, path)
    opening = source[: with_comment(parsed.tree.items[0].span, source)[0]].rstrip()
    parts = [opening, *gathered.texts.values(), *runs]
    return "\n\n".join(part for part in parts if part) + "\n"


def with_comment(span: Span, text: str) -> tuple[int, int]:
    """A declaration with the comment lines above it and the comment behind it."""
    start = text.rfind("\n", 0, span.start) + 1
    while start > 0:
        before = text.rfind("\n", 0, start - 1) + 1
        if not text[before:start].startswith("#"):
            break
        start = before
    end = text.find("\n", span.end)
    return start, len(text) if end < 0 else end
