"""`--set NAME=value` or `NAME in [...]`: what one could write in parentheses, on the command line.

An override is read, claimed by what its first word names (a param, a declaration, or a kind: every
point), and applied when that is made, behind everything the file says of it. Its document is called
`./--set`, so that a path in it is relative to the working directory as a path in a file is to that
file's folder.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from legoc.language.diagnosing.diagnostics import Diagnostic, refusal
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.points import Given
from legoc.language.resolving.replacing import Made, Refused, documents, place_at, replaced
from legoc.language.resolving.scope import Scope
from legoc.language.resolving.template import Leaf, Template
from legoc.language.resolving.values import Lookup, read_binding, read_value
from legoc.language.resolving.wording_overrides import no_run_has, no_such_part, unknown_target
from legoc.language.syntax import tree
from legoc.language.syntax.parse import parse_axis, parse_value


KEY = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\s*=|(?=\s+in\b))", re.ASCII)
KINDS = ("data", "train", "export", "model")
PATHS = ("str", "file", "folder", "model", "vectors")
Report = Callable[[Diagnostic], None]


@dataclass(frozen=True, eq=False)
class Override:
    """One `--set`; the value, or the `in` of an axis, begins at offset `start` of its document."""

    document: Document
    key: tree.Path
    start: int

    @property
    def sweeps(self) -> bool:
        """Whether it binds by `in`."""
        return not self.document.text[: self.start].endswith("=")

    @property
    def rest(self) -> Span:
        """Everything after the `=`."""
        return Span(self.document, self.start, len(self.document.text))

    def inside(self, depth: int) -> tree.Path:
        """The key without its first words."""
        words = self.key.words[depth:]
        return tree.Path(span=words[0].span.to(words[-1].span), words=words)


@dataclass(eq=False)
class Trace:
    """What became of an override. `target` is the param or declaration it is about, of a `kind`
    where parts of it are set; the name of the part begins at offset `inside`. `before` is what it
    took the place of, `behind` what took its own."""

    override: Override
    target: str | None = None
    kind: str | None = None
    inside: int = 0
    before: Span | None = None
    behind: Span | None = None


def read_override(text: str) -> "Override | Diagnostic":
    """Take `NAME=value` apart."""
    document = Document("./--set", text)
    found = KEY.match(text)
    if found is None:
        span = Span(document, 0, len(text))
        return refusal(
            "E0102", span, f"`--set {text}` sets nothing", "not of the form NAME=value",
            "write `--set hidden=128`, or a dotted name: `--set train.lr=1e-4`",
        )  # fmt: skip
    words: list[tree.Word] = []
    offset = found.start(1)
    for part in found.group(1).split("."):
        span = Span(document, offset, offset + len(part))
        words.append(tree.Word(span=span, text=part))
        offset += len(part) + 1
    key = tree.Path(span=words[0].span.to(words[-1].span), words=tuple(words))
    if not text[found.end() :].strip():
        return refusal(
            "E0102", key.span, f"`--set {key.text}=` has no value", "no value follows",
            f"write `--set {key.text}=VALUE`",
        )  # fmt: skip
    return Override(document, key, found.end())


@dataclass(eq=False)
class Overrides:
    """The overrides of one check by what they are about: `settings` params, `changes` declarations,
    `kinds` every point. `met` are the kinds some run has; `prefixes` the file prefixes that
    something goes through."""

    scope: Scope
    report: Report
    settings: dict[tree.Setting, Override] = field(default_factory=dict[tree.Setting, Override])
    changes: dict[tree.Declared, list[tuple[Override, tree.Path]]] = field(default_factory=dict)
    kinds: list[Override] = field(default_factory=list[Override])
    traces: list[Trace] = field(default_factory=list[Trace])
    met: set[str] = field(default_factory=set[str])
    prefixes: set[str] = field(default_factory=set[str])

    def read(self, texts: Iterable[str]) -> None:
        """Read and claim what the command line gives."""
        for text in texts:
            override = read_override(text)
            if isinstance(override, Override):
                self.traces.append(Trace(override))
                self.claim(override)
            else:
                self.report(override)

    def claim(self, override: Override) -> None:
        """Put an override where what it is about will find it."""
        head, *rest = override.key.words
        names = self.scope.names
        if rest and head.text in KINDS and head.text not in names:
            self.kinds.append(override)
            return
        target = names.get(head.text)
        depth = 1
        if target is not None and target.item is None and rest:
            self.prefixes.add(head.text)
            target = target.scope.names.get(rest[0].text)
            depth = 2
        if target is None or target.item is None:
            if not self.scope.may_have(head.text):
                self.report(unknown_target(override.key, self.scope))
            return
        inside = override.key.words[depth:]
        trace = self.trace(override)
        trace.target = ".".join(word.text for word in override.key.words[:depth])
        if isinstance(target.item, tree.Setting) and not inside:
            earlier = self.settings.get(target.item)
            if earlier is not None:
                self.trace(earlier).behind = override.key.span
            self.settings[target.item] = override
        elif isinstance(target.item, tree.Declared) and inside:
            path = override.inside(depth)
            trace.kind, trace.inside = target.item.kind, path.span.start
            self.changes.setdefault(target.item, []).append((override, path))
        else:
            self.report(no_such_part(override.key, target.item))

    def of_param(self, item: tree.Setting, lookup: Lookup) -> Template | None:
        """The value a param is given instead of its own. Raises Refused."""
        override = self.settings.get(item)
        if override is None:
            return None
        self.trace(override).before = item.binding.span
        written = item.binding.value if isinstance(item.binding, tree.Bind) else None
        if isinstance(written, tree.Text) and not override.sweeps:
            return as_text(override)
        return self.value(override, lookup, param=item.name.text)

    def applied(self, item: tree.Declared, made: Made, lookup: Lookup) -> Made:
        """A declaration with what is said of it. Raises Refused."""
        for override, path in self.changes.get(item, ()):
            made = self.apply(made, override, path, lookup)
        return made

    def applied_to_kind(self, kind: str, made: Made, lookup: Lookup) -> Made:
        """The data, recipe, export or model of a run with what is said of every one. Raises
        Refused."""
        for override in self.of_kind(kind):
            made = self.apply(made, override, override.inside(1), lookup)
        return made

    def apply(self, made: Made, override: Override, path: tree.Path, lookup: Lookup) -> Made:
        place = place_at(made, path)
        kind = place.kind
        if kind is not None and kind.name == "list":
            kind = kind.element
        # Where text, a file or a folder is declared, the shell's word is the value.
        plain = kind is not None and kind.name in PATHS and not override.sweeps
        new = as_text(override) if plain else self.value(override, lookup)
        self.note(place.template, override.key.span)
        self.trace(override).before = place.template.span if place.template else None
        return replaced(made, path, new)

    def value(self, override: Override, lookup: Lookup, param: str | None = None) -> Template:
        """What a key is given; `param` is the param that is given it."""
        read = parse_axis if override.sweeps else parse_value
        parsed = read(override.document, override.start)
        if isinstance(parsed, tuple):
            raise Refused(*parsed)
        if isinstance(parsed, tree.Axis):
            return read_binding(parsed, lookup, self.report, param=param)
        return read_value(parsed, lookup, self.report)

    def of_kind(self, kind: str) -> list[Override]:
        """What is said of the `kind` of every point."""
        self.met.add(kind)
        return [override for override in self.kinds if override.key.words[0].text == kind]

    def unmet(self) -> list[Diagnostic]:
        """What is said of a kind that no run has."""
        if self.scope.parsed.lost:
            return []
        return [
            no_run_has(override.key, self.scope)
            for override in self.kinds
            if override.key.words[0].text not in self.met
        ]

    def trace(self, override: Override) -> Trace:
        return next(each for each in self.traces if each.override is override)

    def note(self, gone: Template | None, by: Span) -> None:
        """Remember of the overrides in a template that something takes its place."""
        if gone is None or not self.traces:
            return
        found = list(documents(gone))
        for trace in self.traces:
            if any(document is trace.override.document for document in found):
                trace.behind = by


def as_text(override: Override) -> Leaf:
    """The value as it stands: a path or other text, in quotes or not."""
    span = override.rest
    text = span.text
    if len(text) > 1 and text[0] == text[-1] == '"':
        parsed = parse_value(override.document, override.start)
        if isinstance(parsed, tree.Text):
            return Leaf(Given(parsed.value, parsed.span))
    return Leaf(Given(text, span))
