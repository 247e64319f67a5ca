"""The attributes a list at a place may name: those of the source that is meant there, and the
columns of the tables joined with it."""

import json
import os

from legoc.language import tree
from legoc.language.attributes import Columns
from legoc.language.catalog import Catalog
from legoc.language.declare import Attribute, Declaration
from legoc.language.editing.cursor import Cursor
from legoc.language.editing.fields import read_fields
from legoc.language.editing.slots import arguments_of, look, name_of
from legoc.language.scope import Scope, Target


def source_at(cursor: Cursor, scope: Scope, catalog: Catalog) -> Declaration | None:
    """The source of the `data` record or copy around a place."""
    for frame in reversed(cursor.frames[1:]):
        written = read_fields(cursor.document.text, frame.start).fields.get("source")
        if written:
            return catalog.get("source", written[0].text)
        target = look(scope, frame.callee) if frame.callee else None
        if target is not None and target.kind == "data":
            return source_of(target, catalog)
    return None


def source_of(target: Target, catalog: Catalog) -> Declaration | None:
    """The source of a declared `data`, which may be a copy of another."""
    for _ in range(60):
        if not isinstance(target.item, tree.Declared):
            return None
        body = target.item.body
        if isinstance(body, tree.Chain):
            return None
        fields = body.fields if isinstance(body, tree.Block) else arguments_of(body)
        value = next((f.binding for f in fields if f.key.text == "source"), None)
        if value is not None:
            return catalog.get("source", name_of(value))
        found = look(target.scope, body.path.text) if isinstance(body, tree.Invocation) else None
        if found is None:
            return None
        target = found
    return None


def attributes_at(
    cursor: Cursor, scope: Scope, catalog: Catalog, *, users: bool
) -> tuple[Attribute, ...]:
    """Attributes of items, or of users, that the list at a place may name."""
    source = source_at(cursor, scope, catalog)
    declared = () if source is None else source.users if users else source.attributes
    columns = Columns(declared, tables_at(cursor))
    found = [columns.find(name, None) for name in columns.names]
    return tuple(attribute for attribute in found if attribute is not None)


def tables_at(cursor: Cursor) -> tuple[str, ...]:
    """The paths `augment` names beside a place."""
    folder = os.path.dirname(cursor.document.path)
    found: list[str] = []
    for frame in cursor.frames[1:]:
        for piece in read_fields(cursor.document.text, frame.start).fields.get("augment", ()):
            if len(piece.text) > 1 and piece.text[0] == piece.text[-1] == '"':
                try:
                    found.append(os.path.join(folder, json.loads(piece.text)))
                except ValueError:
                    continue
    return tuple(found)
