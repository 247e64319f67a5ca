"""The attributes a list at a place may name: those of the source that is meant there, and the
columns of the tables joined with it."""

import json
import os

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from legoc.language.editing.cursor import Cursor
from legoc.language.editing.fields import read_fields
from legoc.language.editing.slots import arguments_of, name_of, target_of
from legoc.language.resolving.points import Settings
from legoc.language.resolving.replacing import Refused
from legoc.language.resolving.scope import Scope, Target
from legoc.language.resolving.template import Template
from legoc.language.resolving.values import read_call
from legoc.language.resolving.ways import Expander
from legoc.language.syntax import tree
from legoc.language.syntax.parse import parse_value
from legoc.language.typing.arguments import check_arguments
from legoc.language.typing.attributes import Columns


def source_at(cursor: Cursor, scope: Scope, catalog: Catalog) -> Declaration | None:
    """The source of the `data` record or copy around a place."""
    for frame in reversed(cursor.frames[1:]):
        written = read_fields(cursor.document.text, frame.start).fields.get("source")
        if written:
            # Cut behind the value: the rest of the text may be half-written.
            document = Document(cursor.document.path, cursor.document.text[: written[-1].end])
            value = parse_value(document, written[0].start)
            if isinstance(value, tuple):
                return catalog.get("source", written[0].text)
            return named_source(value, catalog)
        target = target_of(scope, frame.callee) if frame.callee else None
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
        if isinstance(value, tree.Bind):
            return named_source(value.value, catalog)
        if value is not None:
            return catalog.get("source", name_of(value))
        found = (
            target_of(target.scope, body.path.text) if isinstance(body, tree.Invocation) else None
        )
        if found is None:
            return None
        target = found
    return None


def named_source(value: tree.Value, catalog: Catalog) -> Declaration | None:
    """The declaration of the source a value names; where it learns its attributes from headers,
    with those of the folder that is named."""
    if not isinstance(value, tree.Invocation):
        return None
    declaration = catalog.get("source", value.path.text)
    if declaration is None or not declaration.facts.get("headers") or value.args is None:
        return declaration
    if any(isinstance(part, tree.Axis | tree.Variable) for part in tree.walk(value)):
        # Which folder is meant is open, or for the file as a whole to say.
        return declaration
    from legoc.language.typing.headers import complete, read_folder

    try:
        template = read_call(value, no_param, ignore, "source")
    except Refused:
        return declaration
    (outcome,) = Expander({}).outcomes(template, {})
    if not isinstance(outcome.made, Settings):
        return declaration
    judged = check_arguments(declaration, outcome.made, catalog)
    if judged.broken:
        return declaration
    return complete(declaration, read_folder(judged.values, declaration.facts["headers"]))


def no_param(variable: tree.Variable) -> Template:
    raise AssertionError(f"${variable.name} among settings without params")


def ignore(diagnostic: Diagnostic) -> None:
    """What is wrong with the source is the check's to say."""


def attributes_at(
    cursor: Cursor, scope: Scope, catalog: Catalog, *, users: bool
) -> tuple[Attribute, ...]:
    """Attributes of items, or of users, that the list at a place may name."""
    source = source_at(cursor, scope, catalog)
    declared = () if source is None else source.users if users else source.attributes
    columns = Columns(declared, tables_at(cursor), key="user_id" if users else "item_id")
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
