"""The columns of a user's table, read from its header alone (`augment`).

The kind of a column is known where the format tells it: Parquet and JSON lines; elsewhere it is
what the spec's notation implies. pyarrow is imported for Parquet only.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias


# "word" columns are text where a length is written after the name and categories elsewhere.
ColumnKind: TypeAlias = Literal["word", "category", "number"]


def columns(path: Path) -> Mapping[str, ColumnKind] | None:
    """Kinds by column name, or None where the file cannot be read as a table."""
    readers = {".csv": read_csv, ".tsv": read_csv, ".jsonl": read_json, ".parquet": read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        return None
    try:
        return reader(path)
    except (OSError, ValueError, csv.Error):
        return None


def read_csv(path: Path) -> Mapping[str, ColumnKind]:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines, delimiter=separator), [])
    return dict.fromkeys(names, "word")


def read_json(path: Path) -> Mapping[str, ColumnKind]:
    with path.open(encoding="utf-8") as lines:
        first = json.loads(next(lines, "{}"))
    if not isinstance(first, dict):
        raise ValueError("a line of a table is an object")
    return {str(name): kind_of(value) for name, value in first.items()}


def kind_of(value: object) -> ColumnKind:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "category" if isinstance(value, list) else "word"


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
