"""What the headers of a user's tables say of their source (`augment`, `Tables`, processed)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.typing.columns import UNREAD, Column, Found, Header, look
from legoc.language.typing.processed_headers import read_processed
from legoc.language.typing.table_columns import Meant, find_meant, read_names
from legoc.language.typing.table_files import TableFile, dialect_of, find_tables, need_tables
from legoc_runtime.values import Notation


def read_folder(args: Mapping[str, Any], layout: object) -> Found:
    """The headers of the tables in the folder that the settings of a source name.

    layout: the fact `headers` of the source, `tables` or `processed`.
    """
    if layout == "processed":
        return read_processed(args)
    if not Path(args["path"]).is_dir():
        return UNREAD
    try:
        tables = need_tables(args)
        names = read_names(tables, dialect_of(args))
        meant = find_meant(args, tables, names)
    except LegoError as error:
        return replace(read_loosely(args), problems=tuple(error.diagnostics))
    return Found(
        items=attributes_of(args, tables, "items", meant),
        users=attributes_of(args, tables, "users", meant),
        group="user" if meant.impression is None else "impression",
        split=meant.split is not None,
    )


def holds(args: Mapping[str, Any], name: str) -> bool:
    """Whether a file lies in the folder that the settings name, plain or as `.gz`."""
    folder = Path(args["path"])
    return any((folder / f"{name}{ending}").is_file() for ending in ("", ".gz"))


def read_loosely(args: Mapping[str, Any]) -> Found:
    """What tables that are not as they must be say nevertheless, so that nothing else is doubted
    for it."""
    try:
        tables = find_tables(args)
    except LegoError:
        return UNREAD
    items = look(tables["items"], dialect_of(args), notation_of(args)) if "items" in tables else {}
    return replace(UNREAD, items=tell(items, args) if items else None, split=True)


def notation_of(args: Mapping[str, Any]) -> Notation:
    """How the texts of the tables are written, by the settings of `Tables`."""
    return Notation(
        separator=args.get("separator"),
        decimal=args.get("decimal") or ".",
        missing=frozenset(args.get("missing") or ()),
    )


def attributes_of(
    args: Mapping[str, Any], tables: Mapping[str, tuple[TableFile, ...]], table: str, meant: Meant
) -> Header | None:
    """The columns of a table beside its key, with the kinds that the settings say. A column without
    a name, such as the index a frame is written with, is no attribute."""
    if table not in tables:
        return {}
    header = look(tables[table], dialect_of(args), notation_of(args))
    if header is None:
        return None
    key = meant.keys[table]
    return tell({n: each for n, each in header.items() if n.strip() and n != key}, args)


def tell(header: Header, args: Mapping[str, Any]) -> Header:
    """The columns with the kinds that the settings say."""
    found: dict[str, Column] = {}
    for name, column in header.items():
        if name in args["numbers"]:
            column = replace(column, kind="number", odd=(), barred=None, speaks=False)
        elif name in args["categories"]:
            column = replace(column, kind="category", odd=(), barred=None, speaks=False)
        elif name in (args.get("texts") or ()):
            column = replace(column, kind="word", odd=(), barred=None, speaks=True)
        found[name] = column
    return found


def complete(source: Declaration, found: Found) -> Declaration:
    """The declaration of a source that learns its attributes, grouping and split from headers."""
    return replace(
        source,
        attributes=guess(found.items),
        users=guess(found.users),
        group=found.group or source.group,
        splits=("publisher", *source.splits) if found.split else source.splits,
    )


def guess(header: Header | None) -> tuple[Attribute, ...]:
    """Attributes to name in messages; a word is shown as text."""
    found: list[Attribute] = []
    for name, column in (header or {}).items():
        match column.kind:
            case "word":
                found.append(Attribute(name=name, kind="text", length=30))
            case "category":
                found.append(Attribute(name=name, kind="category", length=column.length))
            case "number":
                found.append(Attribute(name=name, kind="number", length=10))
    return tuple(found)
