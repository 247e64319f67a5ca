"""What stands at a place: the page to show there, and the call that is being written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Param
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing import pages
from legoc.language.editing.arrows import Arrow
from legoc.language.editing.cursor import Cursor, read_cursor
from legoc.language.editing.names import occurrence_at, target_at, used_file
from legoc.language.editing.slots import Slot, find_param, find_slot, operator_at, target_of
from legoc.language.editing.sources import attributes_at
from legoc.language.resolving.scope import Scope
from legoc.language.syntax import tree
from legoc.language.syntax.scan import STAGES


@dataclass(frozen=True, kw_only=True)
class Page:
    """Markdown about what stands at `span`."""

    span: Span
    text: str


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The call around a place: an operator or record, and the parameter that is being written."""

    owner: Declaration
    active: Param | None


def explain(
    document: Document, offset: int, scope: Scope, catalog: Catalog, arrows: Sequence[Arrow]
) -> Page | None:
    """What is known of the word at an offset; None where there is nothing to say."""
    for arrow in arrows:
        if arrow.sign.document is document and arrow.sign.start <= offset < arrow.sign.end:
            types = "\n".join(arrow.types)
            return Page(span=arrow.sign, text=pages.fence(types))
    cursor = read_cursor(document, offset)
    if cursor.quiet:
        if cursor.quiet != "text":
            return None
        use = used_file(scope, offset)
        if use is not None:
            return Page(span=use.file.span, text=use_page(use, scope))
        text = quoted_page(cursor, scope, catalog)
        return None if text is None else Page(span=cursor.word, text=text)
    # The word as a whole, as if the place were behind it.
    cursor = read_cursor(document, cursor.word.end)
    word = cursor.word.text
    if not word:
        return None
    text = describe(cursor, word, scope, catalog)
    return None if text is None else Page(span=cursor.word, text=text)


def describe(cursor: Cursor, word: str, scope: Scope, catalog: Catalog) -> str | None:
    found = occurrence_at(scope, cursor.word.end)
    if found is not None:
        target = target_at(scope, cursor.word.end)
        return pages.name_page(target) if target is not None else None
    slot = find_slot(cursor, scope, catalog)
    bound = cursor.after is not None and cursor.after.text in ("=", "in")
    if word.startswith("$"):
        target = scope.names.get(word[1:])
        return pages.name_page(target) if target is not None else None
    if slot.keys and (bound or word not in names_of(slot)):
        owner, param = find_param(slot, word, scope, catalog)
        if owner is not None and param is not None:
            return pages.param_page(param, owner)
        stage = operator_at(slot, word, scope, catalog) if word in STAGES else None
        if stage is not None:
            return pages.operator_page(stage)
    return value_page(cursor, slot, word, scope, catalog) or pages.word_page(word)


def quoted_page(cursor: Cursor, scope: Scope, catalog: Catalog) -> str | None:
    """An attribute whose name stands in quotes; without parentheses behind it, it is a prompt."""
    if cursor.after is None or cursor.after.text != "(":
        return None
    try:
        name = json.loads(cursor.word.text)
    except ValueError:
        return None
    return value_page(cursor, find_slot(cursor, scope, catalog), name, scope, catalog)


def names_of(slot: Slot) -> tuple[str, ...]:
    kind = slot.kind
    return kind.values if kind is not None and kind.name == "enum" else ()


def value_page(cursor: Cursor, slot: Slot, word: str, scope: Scope, catalog: Catalog) -> str | None:
    """An operator, a value, an attribute or a name in the place of a value."""
    kind = slot.kind
    if slot.names:
        target = target_of(scope, word)
        return pages.name_page(target) if target is not None else None
    if kind is None:
        return None
    if kind.name == "list" and kind.element is not None:
        kind = kind.element
    if kind.name == "operator":
        declaration = catalog.get(kind.role or "", word)
        return pages.operator_page(declaration) if declaration is not None else None
    if kind.name in ("attribute", "content"):
        users = kind.name == "attribute"
        for each in attributes_at(cursor, scope, catalog, users=users):
            if each.name == word:
                unit = "bins" if each.kind == "number" else "values"
                unit = "tokens" if each.kind == "text" else unit
                return f"`{each.name}`: {each.kind} attribute, {each.length} {unit}"
        return None
    if (
        slot.param is not None
        and slot.owner is not None
        and (word in kind.values or word in ("true", "false", "none"))
    ):
        return pages.param_page(slot.param, slot.owner)
    return None


def use_page(use: tree.Use, scope: Scope) -> str:
    """A used file: the names it declares that are brought in, or all under the prefix."""
    if use.prefix is not None:
        target = scope.names.get(use.prefix.text)
        names = list(target.scope.names) if target is not None and target.item is None else []
    else:
        names = [word.text for word in use.names]
    return f"{use.file.span.text}: {', '.join(f'`{name}`' for name in names)}"


def signature_at(
    document: Document, offset: int, scope: Scope, catalog: Catalog
) -> Signature | None:
    """The innermost call of an operator or a declaration around an offset."""
    cursor = read_cursor(document, offset)
    if cursor.quiet == "comment":
        return None
    for depth in range(len(cursor.frames), 1, -1):
        frame = cursor.frames[depth - 1]
        if frame.sign != "(":
            continue
        # Read as if the place stood in this bracket, before its key.
        inner = find_slot(outside(cursor, depth), scope, catalog)
        if inner.owner is None:
            return None
        active = find_param(inner, frame.key, scope, catalog)[1] if frame.key else None
        if active is None and not frame.key and frame.index == 0:
            active = inner.owner.param(inner.owner.primary or "")
        return Signature(owner=inner.owner, active=active)
    return None


def outside(cursor: Cursor, depth: int) -> Cursor:
    """The place in the bracket at a depth, before any key."""
    *around, last = cursor.frames[:depth]
    return replace(cursor, frames=(*around, replace(last, key="", axis=False)))
