"""The columns of a table and what their values look like, from its first records.

What a value means is decided by `legoc_runtime`, whose standard library part this imports; pyarrow
is loaded for Parquet only.
"""

import ast
import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, cast

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.typing.table_files import (
    PLAIN,
    Dialect,
    TableFile,
    column_types,
    format_of,
    plain_names,
)
from legoc_runtime.kinds import LOOK, Column, ColumnKind, Look
from legoc_runtime.values import Notation


Header = Mapping[str, Column]


def columns(path: Path) -> Header | None:
    """The columns of one file by its name, or None where it cannot be read as a table."""
    if format_of(path) == ".log":
        return read_log(path)
    file = TableFile(path=path, format=format_of(path), shown=path.name)
    return look([file], PLAIN, Notation()) if path.is_file() else None


def read_log(path: Path) -> Header | None:
    from legoc.language.typing.generated_logs import log_columns

    try:
        return log_columns(path)
    except (OSError, ValueError):
        return None


def look(files: Sequence[TableFile], dialect: Dialect, notation: Notation) -> Header | None:
    """What the columns of a table look like: of one file after the other, LOOK records in all;
    None where one cannot be read."""
    try:
        states = [(file.path.stat().st_mtime_ns, file.path.stat().st_size) for file in files]
        return look_again(tuple(files), tuple(states), dialect, notation)
    except (OSError, EOFError, ValueError, LookupError, csv.Error):
        return None


# An editor checks at every keystroke, and the tables stay as they are.
@lru_cache(maxsize=32)
def look_again(
    files: tuple[TableFile, ...],
    states: tuple[tuple[int, int], ...],
    dialect: Dialect,
    notation: Notation,
) -> Header:
    looks: dict[str, Look] = {}
    told: dict[str, str] = {}
    records = max(LOOK // len(files), 1)
    for file in files:
        names, rows = open_rows(file, dialect)
        types = column_types(names) or {}
        told.update(types.values())
        for name in plain_names(names):
            if name not in looks:
                written = replace(notation, separator=" ") if several(told.get(name)) else notation
                looks[name] = Look(written)
        places = [looks[name] for name in plain_names(names)]
        for row in islice(rows, records):
            for each, value in zip(places, row, strict=True):
                each.see(value)
    return {name: settle(each.tell(), told.get(name)) for name, each in looks.items()}


def several(type: str | None) -> bool:
    return type == "token_seq"


def settle(column: Column, type: str | None) -> Column:
    """A column whose header says what it is, as RecBole's do. Words that are another text in
    nearly every record are a title, and values where they come again."""
    if type is None:
        return column
    kind: ColumnKind = "number" if type == "float" else "word"
    speaks = column.single if several(type) else column.speaks
    if several(type) and not speaks:
        kind = "category"
    return replace(
        column, kind=kind, odd=(), barred=None, speaks=speaks and kind == "word",
        words=max(column.most, column.words) if kind == "word" else column.words,
    )  # fmt: skip


def header_names(files: Sequence[TableFile], dialect: Dialect) -> list[str] | None:
    """The names of a table's columns alone, or None where a file cannot be read."""
    names: dict[str, None] = {}
    try:
        for file in files:
            names.update(dict.fromkeys(plain_names(open_rows(file, dialect)[0])))
    except (OSError, EOFError, ValueError, LookupError, csv.Error):
        return None
    return list(names)


def open_rows(file: TableFile, dialect: Dialect) -> tuple[list[str], Iterable[Sequence[object]]]:
    """The column names of a file, as they stand there, and its rows."""
    readers: Mapping[str, Callable[..., tuple[list[str], Iterable[Sequence[object]]]]] = {
        ".csv": read_delimited, ".tsv": read_delimited, ".jsonl": read_objects,
        ".json": read_objects, ".parquet": read_rows,
    }  # fmt: skip
    if file.format not in readers:
        raise ValueError("no format of a table")
    return readers[file.format](file, dialect)


def open_text(path: Path, encoding: str = "utf-8") -> IO[str]:
    """The lines of a file. Bytes of another encoding are left to whoever reads the rows: it can
    name their line."""
    known = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=known, errors="replace", newline="")
    return path.open(encoding=known, errors="replace", newline="")


def read_delimited(
    file: TableFile, dialect: Dialect
) -> tuple[list[str], Iterable[Sequence[object]]]:
    sign = dialect.sign(file.format)
    with open_text(file.path, dialect.encoding) as lines:
        names = next((row for row in csv.reader(lines, delimiter=sign) if row), [])
    if any("\0" in name for name in names) or divided_by(names, sign):
        raise ValueError("no header of this format")

    def rows() -> Iterator[Sequence[object]]:
        with open_text(file.path, dialect.encoding) as lines:
            found = (row for row in csv.reader(lines, delimiter=sign) if row)
            next(found, None)
            yield from (row for row in found if len(row) == len(names))

    return names, rows()


def divided_by(names: Sequence[str], sign: str = "") -> str | None:
    """What divides the columns of a header that was read as one column, where it is another sign
    than was taken."""
    if len(names) != 1:
        return None
    return next((s for s in (";", "\t", "|", ",") if s != sign and s in names[0]), None)


def read_objects(file: TableFile, dialect: Dialect) -> tuple[list[str], Iterable[Sequence[object]]]:
    """JSON: an object a line, or one list of objects. A key that any looked-at record has is a
    column."""
    with open_text(file.path, dialect.encoding) as lines:
        head = lines.read(1).strip() or lines.read(64).strip()
        lines.seek(0)
        if file.format == ".json" and head[:1] == "[":
            records: object = json.load(lines)
        else:
            records = list(islice(parse_lines(lines), LOOK))
    if not isinstance(records, list):
        raise ValueError("a table is a list of objects")
    found = [cast("dict[str, object]", record) for record in cast("list[object]", records)[:LOOK]
             if isinstance(record, dict)]  # fmt: skip
    if records and not found:
        raise ValueError("a record of a table is an object")
    names = list(dict.fromkeys(str(name) for record in found for name in record))
    return names, ([record.get(name) for name in names] for record in found)


def parse_lines(lines: Iterable[str]) -> Iterator[object]:
    """The value of every line; a line that is none is left to whoever reads the rows."""
    for line in lines:
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError:
            try:
                yield ast.literal_eval(line.strip())
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                yield None


def read_rows(file: TableFile, dialect: Dialect) -> tuple[list[str], Iterable[Sequence[object]]]:
    from legoc.language.typing.parquet import read_names, read_values

    names = read_names(file.path)
    return names, read_values(file.path, names)


def read_parquet(path: Path) -> Mapping[str, ColumnKind]:
    """Kinds by column as the types of one Parquet file say. OSError or ValueError where it cannot
    be read."""
    from legoc.language.typing.parquet import read_kinds

    return read_kinds(path)


def look_typed(path: Path, kinds: Mapping[str, ColumnKind]) -> Header:
    """Some columns of a Parquet file whose types are believed; the values tell how long lists
    are. OSError or ValueError where it cannot be read."""
    from legoc.language.typing.parquet import read_values

    looks = {name: Look() for name in kinds}
    for row in islice(read_values(path, list(kinds)), LOOK):
        for each, value in zip(looks.values(), row, strict=True):
            each.see(value)
    return {
        name: replace(each.tell(), kind=kinds[name], odd=(), barred=None)
        for name, each in looks.items()
    }


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the headers of a folder of tables say; None where a header could not be read.

    items, users: the attributes, by name. group: `impression` where interactions name one.
    problems: what is wrong with the tables, as far as their headers tell.
    """

    items: Header | None
    users: Header | None
    group: str | None
    split: bool
    problems: tuple[Diagnostic, ...] = ()


# Where the folder itself is in doubt: any name must be believed.
UNREAD = Found(items=None, users=None, group=None, split=False)
