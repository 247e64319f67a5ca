"""Where the names of a file are declared, brought in and referred to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.slots import target_of
from legoc.language.resolving.nesting import NAMED
from legoc.language.resolving.scope import Scope, Target
from legoc.language.syntax import tree


Subject: TypeAlias = "tree.Setting | tree.Declared | tree.Use"
KINDS = ("model", "data", "train", "export")


@dataclass(frozen=True, eq=False, kw_only=True)
class Occurrence:
    """A name where it stands. `subject` is the declaration it means, or the `use` whose prefix it
    is; `span` the name alone, without `$` and without a prefix."""

    span: Span
    subject: Subject
    act: Literal["declares", "brings", "refers"]


def occurrences(scope: Scope) -> Iterator[Occurrence]:
    """The names of a file in the order of its declarations. What cannot be resolved is left out."""
    for item in scope.parsed.tree.items:
        match item:
            case tree.Use():
                yield from brought(item, scope)
            case tree.Setting():
                yield Occurrence(span=item.name.span, subject=item, act="declares")
            case tree.Declared():
                yield Occurrence(span=item.name.span, subject=item, act="declares")
                if isinstance(item.body, tree.Invocation):
                    yield from reference(item.body.path, scope, item.kind)
                yield from nested(item, scope)
            case tree.Run():
                yield from of_run(item, scope)
        yield from variables(item, scope)
    if scope.parsed.tree.bare is not None:
        yield from variables(scope.parsed.tree.bare, scope)


def nested(item: tree.Declared, scope: Scope) -> Iterator[Occurrence]:
    """The declarations that fields name: the data of a generation, a generation in `augment`."""
    for field in fields_of(item.body):
        kind = NAMED.get((item.kind, field.key.text))
        if kind is None:
            continue
        for part in tree.walk(field.binding):
            if isinstance(part, tree.Invocation):
                yield from reference(part.path, scope, kind)


def fields_of(body: tree.Block | tree.Chain | tree.Invocation) -> Iterator[tree.Field]:
    """The fields of a block or of a copy."""
    match body:
        case tree.Block():
            yield from body.fields
        case tree.Invocation(args=tree.Arguments() as args):
            yield from (each for each in args.values if isinstance(each, tree.Field))
        case _:
            return


def brought(use: tree.Use, scope: Scope) -> Iterator[Occurrence]:
    if use.prefix is not None:
        yield Occurrence(span=use.prefix.span, subject=use, act="declares")
    for word in use.names:
        target = scope.names.get(word.text)
        # Of two definitions of one name the first counts.
        if target is not None and target.item is not None and target.span is word.span:
            yield Occurrence(span=word.span, subject=target.item, act="brings")


def of_run(run: tree.Run, scope: Scope) -> Iterator[Occurrence]:
    exports = (run.export,) if run.export is not None else ()
    for kind, refs in zip(KINDS, (run.models, run.data, run.train, exports), strict=True):
        for ref in refs:
            yield from reference(ref.path, scope, kind)
    for clause in run.clauses:
        if isinstance(clause, tree.Except):
            yield from of_pattern(clause, scope)


def of_pattern(clause: tree.Except, scope: Scope) -> Iterator[Occurrence]:
    """`except (data=mind)` names points as the run does."""
    for field in clause.pattern.values:
        if not isinstance(field, tree.Field) or field.key.text not in KINDS:
            continue
        binding = field.binding
        values = (binding.value,) if isinstance(binding, tree.Bind) else binding.written
        for value in values:
            if isinstance(value, tree.Invocation):
                yield from reference(value.path, scope, field.key.text)


def reference(path: tree.Path, scope: Scope, kind: str) -> Iterator[Occurrence]:
    """A name, or a prefix and a name of the other file."""
    target = target_of(scope, path.text)
    prefix = scope.names.get(path.words[0].text)
    if len(path.words) == 2 and prefix is not None and prefix.item is None:
        use = prefix_use(scope, path.words[0].text)
        if use is not None:
            yield Occurrence(span=path.words[0].span, subject=use, act="refers")
    if target is not None and target.item is not None and target.kind == kind:
        yield Occurrence(span=path.words[-1].span, subject=target.item, act="refers")


def prefix_use(scope: Scope, name: str) -> tree.Use | None:
    target = scope.names.get(name)
    for item in scope.parsed.tree.items:
        prefix = item.prefix if isinstance(item, tree.Use) else None
        if prefix is not None and target is not None and prefix.span is target.span:
            return item if isinstance(item, tree.Use) else None
    return None


def variables(part: tree.Part, scope: Scope) -> Iterator[Occurrence]:
    for below in tree.walk(part):
        if isinstance(below, tree.Variable):
            target = scope.names.get(below.name)
            if target is not None and isinstance(target.item, tree.Setting):
                span = Span(below.span.document, below.span.start + 1, below.span.end)
                yield Occurrence(span=span, subject=target.item, act="refers")


def occurrence_at(scope: Scope, offset: int) -> Occurrence | None:
    """The name at an offset; its `$` and the place right behind it count as well."""
    for found in occurrences(scope):
        span = found.span
        dollar = span.document.text[span.start - 1 : span.start] == "$"
        if span.start - dollar <= offset <= span.end:
            return found
    return None


def declared_at(subject: Subject) -> Span:
    """Where a subject gets its name."""
    if isinstance(subject, tree.Use):
        assert subject.prefix is not None
        return subject.prefix.span
    return subject.name.span


def target_at(scope: Scope, offset: int) -> Target | None:
    """What the name at an offset means."""
    found = occurrence_at(scope, offset)
    if found is None:
        return None
    if isinstance(found.subject, tree.Use):
        return scope.names.get(found.span.text)
    home = home_of(scope, found.subject)
    return Target(home, found.subject, found.subject.name.span)


def home_of(scope: Scope, subject: tree.Setting | tree.Declared) -> Scope:
    """The scope of the file that declares a subject, among those a file can see."""
    for target in scope.names.values():
        if target.item is subject:
            return target.scope
        if target.item is None:
            for inner in target.scope.names.values():
                if inner.item is subject:
                    return inner.scope
    return scope


def used_file(scope: Scope, offset: int) -> tree.Use | None:
    """The `use` whose path stands at an offset."""
    for item in scope.parsed.tree.items:
        if isinstance(item, tree.Use) and item.file.span.start <= offset <= item.file.span.end:
            return item
    return None


def mentions(document: Document, name: str) -> bool:
    """Whether a name can occur in a text at all; a quick test before the text is parsed."""
    return name in document.text
