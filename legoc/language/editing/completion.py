"""What may be typed at a place: the parser knows kinds of tokens, the declarations the names."""

from collections.abc import Iterator
from dataclasses import replace

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.diagnosing.document import Document
from legoc.language.editing import pages
from legoc.language.editing.accepted import accepted, words
from legoc.language.editing.cursor import read_cursor
from legoc.language.editing.fitting import next_roles, readers
from legoc.language.editing.paths import beside, paths
from legoc.language.editing.proposals import ORDER, Place, Proposal, proposal
from legoc.language.editing.slots import find_slot, operator_at
from legoc.language.editing.sources import attributes_at
from legoc.language.ir.notation import write_value
from legoc.language.resolving.scope import Files, Scope
from legoc.language.syntax.names import written_call
from legoc.language.syntax.scan import DECLARATIONS, STAGES


def complete(
    document: Document, offset: int, scope: Scope, catalog: Catalog, files: Files
) -> tuple[Proposal, ...]:
    """Everything that may stand at an offset, the likeliest sort first.

    scope: the names of the document, which may be those of a part of it while it is broken; files:
    where other files are read.
    """
    cursor = read_cursor(document, offset)
    if cursor.quiet == "comment" or cursor.typed[:1].isdigit():
        return ()
    text, begin = cursor.quiet == "text", cursor.frames[0].start
    place = Place(
        cursor=cursor, slot=find_slot(cursor, scope, catalog), scope=scope, catalog=catalog,
        files=files, span=cursor.word,
        kinds=frozenset() if text else accepted(document, begin, cursor.word.start),
    )  # fmt: skip
    if text:
        return (*paths(place), *quoted_attributes(place))
    found = {each.label: each for each in propose(place)}
    return tuple(sorted(found.values(), key=lambda each: (ORDER.index(each.sort), not each.fits)))


def propose(place: Place) -> Iterator[Proposal]:
    slot, kinds = place.slot, place.kinds
    if slot.use:
        yield from used_names(place)
    if "NAME" in kinds and not slot.use:
        if slot.keys:
            yield from keys(place)
        yield from references(place)
        if slot.kind is not None:
            yield from values(place, slot.kind, slot.param)
    if "DOLLAR" in kinds and not (slot.keys and not slot.positional):
        yield from params(place)
    if "." not in place.cursor.typed and not place.cursor.typed.startswith("$"):
        roles = next_roles(place.cursor.stages) or frozenset(STAGES)
        for word in words(kinds):
            if word in STAGES and word not in roles:
                continue
            if word in DECLARATIONS and not place.begins_line:
                continue
            yield proposal(place, "keyword", word, page=pages.word_page(word) or "")
        if "ARROW" in kinds and not place.cursor.typed:
            yield proposal(place, "keyword", "->", detail="the next stage")


def keys(place: Place) -> Iterator[Proposal]:
    """Parameters and fields that are not given yet, and the parts of what is copied."""
    slot, cursor = place.slot, place.cursor
    bound = cursor.after is not None and cursor.after.text in ("=", "in")
    sign = "" if bound else " = " if cursor.frames[-1].sign == "{" else "="
    if slot.pattern:
        for word in ("model", "data", "train", "export", *STAGES):
            yield proposal(place, "parameter", word, word + sign)
        return
    head, dot, _ = cursor.typed.rpartition(".")
    owner = operator_at(slot, head, place.scope, place.catalog) if dot else slot.owner
    for p in owner.params if owner is not None else ():
        name = f"{head}{dot}{p.name}"
        if name not in slot.given and owner is not None:
            yield proposal(
                place, "parameter", name, name + sign, pages.kind_of(p), pages.param_page(p, owner)
            )
    if slot.copied is not None and slot.copied.kind == "model" and not dot:
        for stage in STAGES:
            if operator_at(slot, stage, place.scope, place.catalog) and stage not in slot.given:
                yield proposal(place, "parameter", stage, stage + sign, "replaces this stage")


def quoted_attributes(place: Place) -> Iterator[Proposal]:
    """In a string that is begun in a list of attributes: those whose names stand in quotes."""
    kind = place.slot.kind
    kind = kind.element if kind is not None and kind.name == "list" else kind
    if kind is None or kind.name not in ("attribute", "content"):
        return
    called = place.cursor.after is not None and place.cursor.after.text == "("
    for each in values(place, kind, None):
        if each.text.startswith('"'):
            yield replace(each, text=each.text.removesuffix("()") if called else each.text)


def references(place: Place) -> Iterator[Proposal]:
    """Declared names of the kind that fits, those behind a prefix too."""
    kind = place.slot.names
    if not kind or place.slot.keys:
        return
    for name, target in place.scope.names.items():
        if target.kind == kind and name != place.cursor.name:
            yield proposal(place, "name", name, "", kind, pages.name_page(target))
        if target.item is None:
            for inner, each in target.scope.names.items():
                if each.kind == kind:
                    full = f"{name}.{inner}"
                    yield proposal(place, "name", full, "", kind, pages.name_page(each))


def params(place: Place) -> Iterator[Proposal]:
    for name, target in place.scope.names.items():
        if target.kind == "param":
            yield proposal(place, "name", f"${name}", "", "param", pages.name_page(target))


def values(place: Place, kind: Kind, param: Param | None) -> Iterator[Proposal]:
    """What values of a kind there are, as far as they can be listed."""
    inside = place.cursor.frames[-1].sign == "["
    if param is not None and param.optional and not inside:
        yield proposal(place, "value", "none")
    match kind.name:
        case "operator":
            role = kind.role or ""
            stages = place.cursor.stages if len(place.cursor.frames) == 1 else ()
            able = readers(role, stages, place.catalog)
            for declaration in place.catalog.role(role):
                yield replace(operator(place, declaration), fits=declaration.name in able)
        case "enum":
            for value in kind.values:
                yield proposal(place, "value", value, "", param.doc if param is not None else "")
        case "bool":
            yield proposal(place, "value", "true")
            yield proposal(place, "value", "false")
        case "attribute" | "content" | "column":
            users = kind.name == "attribute"
            for each in attributes_at(place.cursor, place.scope, place.catalog, users=users):
                text = written_call(each.name, ())
                yield proposal(place, "attribute", each.name, text, f"{each.kind} attribute")
        case "list" if kind.element is not None and not inside:
            for each in values(place, kind.element, None):
                yield replace(each, text=f"[{each.text}]")
        case "int" | "float" | "quantity" if param is not None and not inside:
            if isinstance(param.default, int | float):
                text = write_value(kind, param.default)
                yield proposal(place, "value", text, "", f"the default: {param.doc}")
        case _:
            return


def operator(place: Place, declaration: Declaration) -> Proposal:
    detail = declaration.signature or declaration.doc.split("\n\n")[0].replace("\n", " ")
    return proposal(
        place, "operator", declaration.name, "", detail, pages.operator_page(declaration)
    )


def used_names(place: Place) -> Iterator[Proposal]:
    """What the file of a `use` declares."""
    cursor = place.cursor
    if len(cursor.frames) < 2:
        return
    scope = used_scope(place)
    written = cursor.document.text[cursor.frames[-1].start : cursor.word.start]
    already = written.replace("(", " ").replace(",", " ").split()
    for name, target in scope.names.items() if scope is not None else ():
        if target.item is not None and name not in already:
            yield proposal(place, "name", name, "", target.kind, pages.name_page(target))


def used_scope(place: Place) -> Scope | None:
    """The names of the file that the `use` at the place names."""
    from legoc.language.resolving.scope import enter

    document = place.cursor.document
    before = document.text[place.cursor.frames[0].start : place.cursor.frames[-1].start]
    parts = before.split('"')
    if len(parts) < 3:
        return None
    try:
        return enter(place.files.read(beside(document, parts[1])), place.files)
    except (OSError, UnicodeDecodeError, ValueError):
        return None
