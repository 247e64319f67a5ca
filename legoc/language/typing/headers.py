"""What the headers of a user's tables say of their source (`augment`, `Tables`, processed)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.typing.columns import FORMATS, ColumnKind, Found, columns
from legoc.language.typing.processed_headers import read_processed


def read_folder(args: Mapping[str, Any], layout: object) -> Found:
    """The headers of the tables in the folder that the settings of a source name.

    layout: the fact `headers` of the source, `tables` or `processed`.
    """
    if layout == "processed":
        return read_processed(args)
    folder = Path(args["path"])
    items, users, interactions = (
        columns_of(folder, name) for name in ("items", "users", "interactions")
    )
    grouped = None
    if interactions is not None:
        grouped = "impression" if args["impression"] in interactions else "user"
    return Found(
        items=attributes_of(items, {args["item"], "item_id"}, args),
        users=attributes_of(users, {args["user"], "user_id"}, args),
        group=grouped,
        split=interactions is not None and args["split"] in interactions,
    )


def holds(args: Mapping[str, Any], name: str) -> bool:
    """Whether a file lies in the folder that the settings name, plain or as `.gz`."""
    folder = Path(args["path"])
    return any((folder / f"{name}{ending}").is_file() for ending in ("", ".gz"))


def columns_of(folder: Path, name: str) -> Mapping[str, ColumnKind] | None:
    for format in FORMATS:
        path = folder / f"{name}{format}"
        if path.is_file():
            return columns(path)
    return None


def attributes_of(
    header: Mapping[str, ColumnKind] | None, keys: set[str], args: Mapping[str, Any]
) -> Mapping[str, ColumnKind] | None:
    """The columns of a table beside its key, with the kinds that the settings say. None for a
    table without a header: that it is empty is for whoever reads its rows to say. A column without
    a name, such as the index a frame is written with, is no attribute."""
    if not header:
        return None
    numbers, categories = args["numbers"], args["categories"]
    found: dict[str, ColumnKind] = {}
    for name, kind in header.items():
        if name.strip() and name not in keys:
            named = "category" if name in categories else kind
            found[name] = "number" if name in numbers else named
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


def guess(header: Mapping[str, ColumnKind] | None) -> tuple[Attribute, ...]:
    """Attributes to name in messages; a word is shown as text."""
    found: list[Attribute] = []
    for name, kind in (header or {}).items():
        match kind:
            case "word":
                found.append(Attribute(name=name, kind="text", length=30))
            case "category":
                found.append(Attribute(name=name, kind="category", length=1))
            case "number":
                found.append(Attribute(name=name, kind="number", length=10))
    return tuple(found)
