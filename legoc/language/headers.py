"""The columns of a user's tables, read from their headers alone (`augment`, `Tables`).

The kind of a column is known where the format tells it: Parquet and JSON lines; elsewhere it is
what the spec's notation implies, or what the source's settings say. pyarrow is imported for Parquet
only.
"""

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from legoc.language.declare import Attribute, Declaration


# "word" columns are text where a length is written after the name and categories elsewhere.
ColumnKind: TypeAlias = Literal["word", "category", "number"]

# The formats of a user's own tables; text formats may be compressed.
FORMATS = (".parquet", ".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz")


def columns(path: Path) -> Mapping[str, ColumnKind] | None:
    """Kinds by column name, or None where the file cannot be read as a table."""
    readers = {
        ".csv": read_csv, ".tsv": read_csv, ".jsonl": read_json, ".parquet": read_parquet,
        ".log": read_log,
    }  # fmt: skip
    reader = readers.get(ending(path))
    if reader is None or not path.is_file():
        return None
    try:
        return reader(path)
    except (OSError, EOFError, ValueError, csv.Error):
        return None


def ending(path: Path) -> str:
    """The format by name, `.gz` left aside."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def open_text(path: Path) -> IO[str]:
    """The lines of a file. Bytes that are not UTF-8 are left to whoever reads the rows: it can name
    their line."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def read_csv(path: Path) -> Mapping[str, ColumnKind]:
    separator = "\t" if ending(path) == ".tsv" else ","
    with open_text(path) as lines:
        names = next((row for row in csv.reader(lines, delimiter=separator) if row), [])
    if any("\0" in name for name in names) or divided_by(names):
        raise ValueError("no header of this format")
    return dict.fromkeys(names, "word")


def divided_by(names: Sequence[str]) -> str | None:
    """What divides the columns of a header that was read as one column, where it is another sign
    than its format has."""
    if len(names) != 1:
        return None
    return next((sign for sign in (";", "\t", "|", ",") if sign in names[0]), None)


def read_json(path: Path) -> Mapping[str, ColumnKind]:
    with open_text(path) as lines:
        first = json.loads(next(lines, "{}"))
    if not isinstance(first, dict):
        raise ValueError("a line of a table is an object")
    return {str(name): kind_of(value) for name, value in first.items()}


def kind_of(value: object) -> ColumnKind:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "category" if isinstance(value, list) else "word"


def read_log(path: Path) -> Mapping[str, ColumnKind]:
    from legoc.language.generated_logs import log_columns

    return log_columns(path)


def read_parquet(path: Path) -> Mapping[str, ColumnKind]:
    import pyarrow.types as kinds
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    def kind(given: object) -> ColumnKind:
        if kinds.is_integer(given) or kinds.is_floating(given) or kinds.is_decimal(given):
            return "number"
        return "category" if kinds.is_list(given) or kinds.is_large_list(given) else "word"

    try:
        schema = read_schema(path)
    except ArrowException as error:
        raise ValueError(str(error)) from error
    return {field.name: kind(field.type) for field in schema}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the headers of a folder of tables say; None where a header could not be read.

    items, users: the attributes, by name. group: `impression` where interactions name one.
    """

    items: Mapping[str, ColumnKind] | None
    users: Mapping[str, ColumnKind] | None
    group: str | None
    split: bool


# Where the folder itself is in doubt: any name must be believed.
UNREAD = Found(items=None, users=None, group=None, split=False)


def read_folder(args: Mapping[str, Any], layout: object) -> Found:
    """The headers of the tables in the folder that the settings of a source name.

    layout: the fact `headers` of the source, `tables` or `processed`.
    """
    if layout == "processed":
        from legoc.language.processed_headers import read_processed

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
