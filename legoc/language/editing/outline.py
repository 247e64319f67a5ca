"""The parts of a file by name, and the parts that fold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from legoc.language.diagnosing.document import Document, Span
from legoc.language.syntax import tree
from legoc.language.syntax.parse import Parsed


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """A part with a name: `span` is all of it, `name_span` what to select."""

    name: str
    kind: Literal[
        "use", "param", "data", "generate", "train", "export", "model", "run", "stage", "field"
    ]  # fmt: skip
    detail: str
    span: Span
    name_span: Span
    inside: "tuple[Symbol, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Lines that fold into their first, both from 1."""

    first: int
    last: int
    kind: Literal["region", "comment", "imports"]


def symbols(parsed: Parsed) -> tuple[Symbol, ...]:
    """The declarations of a file with their stages and fields."""
    if parsed.tree.bare is not None:
        return tuple(map(stage, parsed.tree.bare.stages))
    return tuple(map(symbol, parsed.tree.items))


def symbol(item: tree.Item) -> Symbol:
    match item:
        case tree.Use():
            return plain("use", item.file.value, item, item.file.span)
        case tree.Setting():
            return plain("param", item.name.text, item, item.name.span, short(item.binding))
        case tree.Declared(body=tree.Chain() as chain):
            return plain(
                item.kind, item.name.text, item, item.name.span, "", tuple(map(stage, chain.stages))
            )
        case tree.Declared(body=tree.Block() as block):
            inside = tuple(map(field, block.fields))
            return plain(item.kind, item.name.text, item, item.name.span, "", inside)
        case tree.Declared():
            return plain(item.kind, item.name.text, item, item.name.span, f"= {short(item.body)}")
        case tree.Run():
            models = ", ".join(model.path.text for model in item.models)
            data = ", ".join(each.path.text for each in item.data)
            name = item.name.text if item.name is not None else models
            return plain("run", name, item, item.head, f"{models} on {data}")


def plain(
    kind: Literal["use", "param", "data", "generate", "train", "export", "model", "run"],
    name: str,
    item: tree.Item,
    name_span: Span,
    detail: str = "",
    inside: tuple[Symbol, ...] = (),
) -> Symbol:
    return Symbol(
        name=name or '""', kind=kind, detail=detail, span=item.span, name_span=name_span,
        inside=inside,
    )  # fmt: skip


def stage(part: tree.Stage) -> Symbol:
    return Symbol(
        name=part.role.text, kind="stage", detail=short(part.operator), span=part.span,
        name_span=part.role.span,
    )  # fmt: skip


def field(part: tree.Field) -> Symbol:
    return Symbol(
        name=part.key.text, kind="field", detail=short(part.binding), span=part.span,
        name_span=part.key.span,
    )  # fmt: skip


def short(part: tree.Part) -> str:
    """The text of a part on one line, cut where it is long."""
    text = " ".join(part.span.text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def folds(parsed: Parsed) -> tuple[Fold, ...]:
    """Declarations, lists and brackets of several lines, runs of comments, and the `use`s at the
    top."""
    found = {*of_tree(parsed), *of_comments(parsed), *of_uses(parsed)}
    return tuple(sorted(found, key=lambda fold: (fold.first, -fold.last)))


def lines(document: Document, start: int, end: int) -> tuple[int, int]:
    return document.position(start)[0], document.position(max(start, end))[0]


def of_tree(parsed: Parsed) -> Iterator[Fold]:
    for part in tree.walk(parsed.tree):
        bare = part is parsed.tree.bare
        if bare or isinstance(
            part, tree.Declared | tree.Run | tree.Items | tree.Options | tree.Arguments
        ):
            first, last = lines(parsed.document, part.span.start, part.span.end)
            if last > first:
                yield Fold(first=first, last=last, kind="region")


def of_comments(parsed: Parsed) -> Iterator[Fold]:
    """Comments on lines of their own that follow each other."""
    text = parsed.document.text
    group: list[int] = []
    for comment in parsed.comments:
        line = parsed.document.position(comment.start)[0]
        alone = not text[text.rfind("\n", 0, comment.start) + 1 : comment.start].strip()
        if group and not (alone and line == group[-1] + 1):
            if len(group) > 1:
                yield Fold(first=group[0], last=group[-1], kind="comment")
            group = []
        if alone:
            group.append(line)
    if len(group) > 1:
        yield Fold(first=group[0], last=group[-1], kind="comment")


def of_uses(parsed: Parsed) -> Iterator[Fold]:
    leading: list[tree.Use] = []
    for item in parsed.tree.items:
        if not isinstance(item, tree.Use):
            break
        leading.append(item)
    if len(leading) > 1:
        first, last = lines(parsed.document, leading[0].span.start, leading[-1].span.end)
        yield Fold(first=first, last=last, kind="imports")
