"""From text to tree, with every syntax error of the file.

The parser stops at the first token that does not fit. Then the rest of that declaration is given
up, and reading goes on at the next one; the words given up are remembered, so that a later phase
does not complain about a name that was declared in a broken place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lark

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Document, Span
from legoc.language.syntax import tree
from legoc.language.syntax.attempt import raw_or_mistake
from legoc.language.syntax.build import Builder, Raw
from legoc.language.syntax.mistakes import Mistake
from legoc.language.syntax.scan import RESERVED, STAGES, comments, pieces, restart, too_deep


ANY = "*"
ITEMS = ("use", "param", "data", "generate", "train", "export", "model", "run")


@dataclass(frozen=True, eq=False, kw_only=True)
class Parsed:
    """A document as a tree. `lost` are the words of the parts that could not be read: any of them
    may have been a name; `ANY` is among them where the name itself is missing."""

    document: Document
    tree: tree.Tree
    diagnostics: tuple[Diagnostic, ...]
    comments: tuple[Span, ...]
    lost: frozenset[str] = frozenset()


def parse(document: Document) -> Parsed:
    """Read a file. Never raises; what is wrong is in `diagnostics` (E0101, E0102, E0209)."""
    builder = Builder(document)
    raws: list[Raw] = []
    found: list[Diagnostic] = []
    lost: set[str] = set()
    start = 0
    deep = refuse_depth(document)
    if deep is not None:
        return Parsed(
            document=document,
            tree=tree.Tree(span=Span(document, 0, len(document.text))),
            diagnostics=(deep,),
            comments=comments(document),
            lost=frozenset(piece.text for piece in pieces(document.text) if piece.is_word),
        )
    while True:
        result = raw_or_mistake(document, start, "start")
        if not isinstance(result, Mistake):
            raws += children(result)
            break
        found.append(describe(result))
        kept = completed(result)
        raws += kept
        # Behind a pipeline no declaration counts, and what those there name is not asked for.
        lost |= {ANY} if bare(result) else set()
        broken = builder.span(kept[-1]).end if kept else start
        # The token before may have begun the declaration that closes an open bracket.
        behind = max((result.before.start_pos or 0) if result.before else 0, broken)
        start = restart(document.text, behind if behind > start else result.offset)
        lost |= {ANY} if result.hides_name else set()
        lost |= {p.text for p in pieces(document.text[:start], broken) if p.is_word}
        if start >= len(document.text):
            break
    parsed = assemble(builder, raws)
    found += builder.found
    found += reserved_names(parsed)
    return Parsed(
        document=document,
        tree=parsed,
        diagnostics=tuple(sorted(found, key=lambda d: d.primary.start if d.primary else 0)),
        comments=comments(document),
        lost=frozenset(lost - RESERVED),
    )


def parse_value(document: Document, start: int) -> "tree.Value | tuple[Diagnostic, ...]":
    """Read one value that begins at an offset: the right side of `--set`."""
    return parse_part(document, start, "value")


def parse_axis(document: Document, start: int) -> "tree.Axis | tuple[Diagnostic, ...]":
    """Read `in` with what follows it, from an offset on."""
    return parse_part(document, start, "axis")


def parse_arguments(document: Document, start: int) -> "tree.Arguments | tuple[Diagnostic, ...]":
    """Read arguments in parentheses: the pattern of `--only`."""
    return parse_part(document, start, "args")


def parse_part(document: Document, start: int, rule: str) -> Any:
    deep = refuse_depth(document)
    if deep is not None:
        return (deep,)
    result = raw_or_mistake(document, start, rule)
    if isinstance(result, Mistake):
        return (describe(result),)
    builder = Builder(document)
    made = builder.part(result)
    return tuple(builder.found) or made


def describe(mistake: Mistake) -> Diagnostic:
    """The diagnostic of a syntax error. The wording is loaded where there is one."""
    from legoc.language.syntax import wording

    return wording.describe(mistake)


def children(raw: Raw) -> list[Raw]:
    return [child for child in raw.children if isinstance(child, lark.Tree)]


def completed(mistake: Mistake) -> list[Raw]:
    """The declarations that were whole before the mistake. The last of them counts where the
    mistake begins a line of its own, unindented, as a misspelt declaration word does."""
    text, offset = mistake.document.text, mistake.offset
    fresh = offset == 0 or text[offset - 1] == "\n"
    if fresh and mistake.whole is not None and mistake.text not in STAGES:
        return [raw for raw in children(mistake.whole) if raw.data in ITEMS]
    kept: list[Raw] = []
    for value in mistake.stack:
        if not isinstance(value, lark.Tree):
            break
        if value.data in ITEMS:
            kept.append(value)
        elif str(value.data).startswith("__start"):
            kept += [raw for raw in children(value) if raw.data in ITEMS]
        else:
            break
    return kept


def bare(mistake: Mistake) -> bool:
    """Whether the file began with a pipeline and goes on with declarations."""
    return mistake.whole is not None and any(raw.data == "bare" for raw in children(mistake.whole))


def assemble(builder: Builder, raws: Sequence[Raw]) -> tree.Tree:
    span = Span(builder.document, 0, len(builder.document.text))
    if raws and raws[0].data == "bare":
        return tree.Tree(span=span, bare=builder.part(raws[0]))
    return tree.Tree(span=span, items=builder.items(raws))


def refuse_depth(document: Document) -> Diagnostic | None:
    piece = too_deep(document.text)
    if piece is None:
        return None
    span = Span(document, piece.start, piece.end)
    return Diagnostic(
        code="E0102",
        message="brackets are nested too deep",
        labels=(Label(span=span, text="more than 60 levels", primary=True),),
        help=("no spec needs so many: take some of the brackets away",),
    )


def reserved_names(parsed: tree.Tree) -> list[Diagnostic]:
    """E0209: in the place of a name the lexer takes any word."""
    found: list[Diagnostic] = []
    for item in parsed.items:
        names = (*item.names, item.prefix) if isinstance(item, tree.Use) else (item.name,)
        for name in names:
            if name is not None and name.text in RESERVED:
                found.append(
                    Diagnostic(
                        code="E0209",
                        message=f"`{name.text}` is a word of the language",
                        labels=(Label(span=name.span, text="used as a name here", primary=True),),
                        help=(f"choose another name, such as `my_{name.text}`",),
                    )
                )
    return found
