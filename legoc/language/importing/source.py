"""Legommenders' YAML as one merged tree: `$$import` resolved, placeholders with their values.

Every value keeps its place in the file it came from, and what is never asked for is known in the
end: those are the keys that nothing reads.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, refusal
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.scope import read_document, unreadable
from legoc.language.syntax import nodes
from legoc.language.syntax.yaml_form import read_yaml


IMPORT = "$$import"
HOLDER = re.compile(r"\$\{(?P<name>[\w.]+)(?::(?P<default>[^}]*))?\}(?P<typed>\$)?")
DEEPEST = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """A value of the configuration. `param` is the placeholder it is the whole of; `open` says that
    neither the file nor the command line gives that a value."""

    value: Any
    span: Span
    key: Span
    param: str | None = None
    open: bool = False


@dataclass(eq=False)
class Section:
    """A mapping of the merged configuration; `asked` are the keys something has asked for."""

    span: Span
    settings: dict[str, Setting] = field(default_factory=dict[str, Setting])
    sections: dict[str, "Section"] = field(default_factory=dict[str, "Section"])
    asked: set[str] = field(default_factory=set[str])

    def setting(self, name: str) -> Setting | None:
        self.asked.add(name)
        return self.settings.get(name)

    def section(self, name: str) -> "Section":
        """A section below this one; an empty one where there is none."""
        self.asked.add(name)
        return self.sections.get(name) or Section(self.span)

    def unread(self, path: str = "") -> Iterator[tuple[str, Setting]]:
        """Settings nothing has asked for, each with its dotted path."""
        for name, setting in self.settings.items():
            if name not in self.asked:
                yield f"{path}{name}", setting
        for name, section in self.sections.items():
            yield from section.unread(f"{path}{name}.")


class Reader:
    """Reads configurations. `given` are the values of placeholders; `met` those that were found."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.met: set[str] = set()

    def read(self, path: str) -> Section:
        """A file with what it imports. Raises LegoError where one of them cannot be read."""
        try:
            document = read_document(path)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise LegoError(unreadable(path, None, error)) from None
        section = Section(Span(document, 0, 0))
        self.add(section, self.mapping(document), document, ())
        return section

    def mapping(self, document: Document) -> nodes.Mapping:
        try:
            node = read_yaml(document)
        except nodes.Unreadable as error:
            raise LegoError(error.diagnostic) from None
        if not isinstance(node, nodes.Mapping):
            raise stop(node.span, "a configuration is a mapping", "this is none")
        return node

    def add(
        self, section: Section, node: nodes.Mapping, document: Document, trail: tuple[str, ...]
    ) -> None:
        """Lay a mapping over a section: what it imports first, itself last."""
        for pair in node.pairs:
            if pair.key == IMPORT:
                items = (
                    pair.value.items if isinstance(pair.value, nodes.Sequence) else (pair.value,)
                )
                for item in items:
                    self.bring(section, item, document, trail)
        for pair in node.pairs:
            if pair.key == IMPORT:
                continue
            if isinstance(pair.value, nodes.Mapping):
                section.settings.pop(pair.key, None)
                inner = section.sections.setdefault(pair.key, Section(pair.key_span))
                self.add(inner, pair.value, document, trail)
            else:
                section.sections.pop(pair.key, None)
                section.settings[pair.key] = self.value(pair)

    def bring(
        self, section: Section, item: nodes.Node, document: Document, trail: tuple[str, ...]
    ) -> None:
        name = item.value if isinstance(item, nodes.Scalar) else None
        if not isinstance(name, str):
            raise stop(item.span, f"`{IMPORT}` lists files", "not the name of a file")
        path = os.path.normpath(os.path.join(os.path.dirname(document.path), name))
        if path in trail or len(trail) > DEEPEST:
            raise stop(item.span, f"`{name}` is imported in a circle", "comes back to itself")
        try:
            other = read_document(path)
        except (OSError, UnicodeDecodeError, ValueError):
            raise stop(
                item.span, f"`{name}` cannot be read, so nothing can be imported",
                f"there is no file {path}", "correct the path in the configuration",
            ) from None  # fmt: skip
        self.add(section, self.mapping(other), other, (*trail, path))

    def value(self, pair: nodes.Pair) -> Setting:
        node, key = pair.value, pair.key_span
        if isinstance(node, nodes.Sequence):
            return Setting(value=tuple(map(self.plain, node.items)), span=node.span, key=key)
        assert isinstance(node, nodes.Scalar)
        text = node.value
        if not isinstance(text, str) or "${" not in text:
            return Setting(value=text, span=node.span, key=key)
        holder = HOLDER.fullmatch(text)
        if holder is not None:
            name, default = holder["name"], holder["default"]
            self.met.add(name)
            if name in self.given:
                value, lacks = self.given[name], False
            else:
                value, lacks = read_plain(default) if default is not None else None, default is None
            return Setting(value=value, span=node.span, key=key, param=name, open=lacks)
        filled, lacks = self.fill(text)
        return Setting(value=filled, span=node.span, key=key, open=lacks)

    def fill(self, text: str) -> tuple[str, bool]:
        """A text with its placeholders filled, and whether one has no value."""
        lacking = False

        def replace(found: re.Match[str]) -> str:
            nonlocal lacking
            name, default = found["name"], found["default"]
            self.met.add(name)
            if name in self.given:
                return str(self.given[name])
            lacking = lacking or default is None
            return found.group() if default is None else default

        return HOLDER.sub(replace, text), lacking

    def plain(self, node: nodes.Node) -> Any:
        """An element of a list: a value, or one pair as (name, value)."""
        if isinstance(node, nodes.Scalar):
            return self.fill(node.value)[0] if isinstance(node.value, str) else node.value
        if isinstance(node, nodes.Mapping) and len(node.pairs) == 1:
            pair = node.pairs[0]
            return (self.fill(pair.key)[0], self.value(pair).value)
        raise stop(node.span, "a list in a list has no counterpart", "inside a list")


def read_plain(text: str) -> Any:
    """The value of a default or of `--set`, as YAML reads a plain word."""
    node = read_yaml(Document("--set", text or "null"))
    return node.value if isinstance(node, nodes.Scalar) else text


def read_given(overrides: Sequence[str]) -> dict[str, Any]:
    """`NAME=value` for each placeholder to fill."""
    found: dict[str, Any] = {}
    for text in overrides:
        name, equal, value = text.partition("=")
        if not equal or not name.strip():
            raise LegoError(
                refusal(
                    "E0904", Span(Document("./--set", text), 0, len(text)),
                    "`--set` gives a placeholder a value", "no `=`", "write `--set NAME=value`",
                )
            )  # fmt: skip
        found[name.strip()] = read_plain(value.strip())
    return found


def stop(span: Span, message: str, label: str, *help: str) -> LegoError:
    """E0904 at a place of the configuration."""
    return LegoError(refusal("E0904", span, message, label, *help))
