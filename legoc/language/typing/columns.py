"""The columns of one table and their kinds, read from its header alone.

The kind of a column is known where the format tells it: Parquet and JSON lines; elsewhere it is
what the spec's notation implies, or what the source's settings say. pyarrow is imported for Parquet
only.
"""

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias


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
    from legoc.language.typing.generated_logs import log_columns

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
