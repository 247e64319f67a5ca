"""The tables of `augment`, read row by row into Parquet under the name of their key.

What a column is, is told by its values as the check tells it, and what a value means is decided
where all tables have it decided (`legoc_runtime.values`).
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.data.staging.first_records import OTHER, POLICY, SAME
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.generation import generated_name
from legoc.language.typing.columns import Column, columns
from legoc.language.typing.parquet import read_names, read_values
from legoc_runtime.errors import RequestError
from legoc_runtime.values import read_categories, read_id, read_number, read_text


KEYS = ("item_id", "user_id")
STORED = {"word": "text", "category": "texts", "number": "number"}
FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")

REPEATED = "key of an augmenting table"


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A staged table: `key` is `item_id` or `user_id`, unique and text; `columns` the others.
    `retells`: they are titles that a language model wrote anew."""

    key: str
    columns: tuple[str, ...]
    path: Path
    shown: str
    retells: bool = False


def stage_table(path: Path, target: Path, losses: Losses) -> Joining:
    """Stage one table by the ending of its name. Raises E0640 for what cannot be joined."""
    if path.suffix.lower() not in FORMATS:
        raise fail(
            "E0640",
            f"`{path.name}` is no table: its name ends in `{path.suffix}`",
            "give a .parquet, .csv, .tsv or .jsonl file, or a .log of generated text",
        )
    names = names_of(path)
    key = find_key(names, path)
    header = columns(path)
    if header is None:
        raise unreadable(path, 1, "no table of this format")
    # A column without a name is the index a frame was written with.
    kept = {name: header[name] for name in names if name != key and name.strip()}
    once = Once(path, losses)
    stored = {name: STORED[column.kind] for name, column in kept.items()}
    with Staged(target, {key: "text", **stored}, numbered=None) as staged:
        for line, row in read_rows(path, names):
            values = dict(zip(names, row, strict=True))
            place = f"{path.name}:{line}"
            given = [
                cast(values[name], name, column, place, losses) for name, column in kept.items()
            ]
            if once.first(key_of(values[key], key, path, line), line, given):
                staged.add(read_id(key, values[key]), *given)
    retells = key == "item_id" and generated_name(str(path)) is not None
    return Joining(key=key, columns=tuple(kept), path=target, shown=path.name, retells=retells)


def key_of(value: object, key: str, path: Path, line: int) -> str:
    try:
        return read_id(key, value)
    except RequestError as error:
        raise unreadable(path, line, error.message) from None


def cast(
    value: object, name: str, column: Column, place: str, losses: Losses
) -> str | list[str] | float | None:
    """A value as its column holds it; what cannot be read is counted and left empty."""
    try:
        match column.kind:
            case "word":
                return read_text(name, value) or None
            case "category":
                return None if value is None else read_categories(name, value)
            case _:
                return read_number(name, value)
    except RequestError:
        what = {"word": "text", "category": "list", "number": "number"}[column.kind]
        losses.add(f"value that is no {what}", "left empty", "augment", f"{place}: {value!r}")
        return None


def find_key(names: list[str], path: Path) -> str:
    """The key column a table carries; exactly one."""
    found = [name for name in KEYS if name in names]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"`{name}`" for name in names) or "none"
    raise fail(
        "E0640",
        f"`{path.name}` has "
        + ("both `item_id` and `user_id`" if found else "neither `item_id` nor `user_id`"),
        "an augmenting table carries one key column, and attributes beside it",
        notes=(f"its columns are {listed}",),
    )


def unreadable(path: Path, line: int, reason: str) -> LegoError:
    return fail(
        "E0640",
        f"`{path.name}` line {line}: {reason}",
        "write the table again as UTF-8, one record a line, the same columns in each",
        notes=(f"the file is {path}",),
    )


def names_of(path: Path) -> list[str]:
    """The columns of a table as its header, its types or its records name them."""
    match path.suffix.lower():
        case ".parquet":
            try:
                return read_names(path)
            except (ValueError, OSError) as error:
                raise no_parquet(path, error) from None
        case ".jsonl":
            return list(dict.fromkeys(name for _, record in read_objects(path) for name in record))
        case _:
            names = next((row for _, row in read_lines(path)), [])
            if repeated := [name for name in names if name.strip() and names.count(name) > 1]:
                raise unreadable(path, 1, f"column `{repeated[0]}` is there twice")
            return names


def read_rows(path: Path, names: list[str]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Line (for Parquet: row, from 1) and values of every row."""
    match path.suffix.lower():
        case ".parquet":
            try:
                yield from enumerate(read_values(path, names), start=1)
            except (ValueError, OSError) as error:
                raise no_parquet(path, error) from None
        case ".jsonl":
            for line, record in read_objects(path):
                yield line, [record.get(name) for name in names]
        case _:
            rows = read_lines(path)
            next(rows, None)
            for line, row in rows:
                if len(row) != len(names):
                    raise unreadable(path, line, f"{len(row)} columns, not {len(names)}")
                yield line, row


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of a csv or tsv that are not empty."""
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=separator, strict=True)
        try:
            for row in lines:
                if row:
                    yield lines.line_num, row
        except UnicodeDecodeError as error:
            raise unreadable(path, lines.line_num + 1, "not UTF-8") from error
        except csv.Error as error:
            raise unreadable(path, lines.line_num, f"not a table ({error})") from error


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line. Raises E0640 for a line that is none."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise unreadable(path, number, "not an object")
                yield number, value
    except UnicodeDecodeError as error:
        raise unreadable(path, number + 1, "not UTF-8") from error
    except json.JSONDecodeError as error:
        raise unreadable(path, number, f"not JSON ({error.msg})") from error


def no_parquet(path: Path, error: Exception) -> LegoError:
    return fail(
        "E0640",
        f"`{path.name}` is not a Parquet table that can be read",
        "write it again, or give the table as .csv",
        notes=(str(error),),
    )


class Once:
    """Remembers keys, so that the first record of each is kept and the others are counted by
    whether they say the same."""

    def __init__(self, path: Path, losses: Losses) -> None:
        self.name = path.name
        self.losses = losses
        self.seen: dict[str, int] = {}

    def first(self, key: str, line: int, values: Sequence[object]) -> bool:
        if not key:
            place = f"{self.name}:{line}"
            self.losses.add("record without a key", "dropped", "augment", place)
            return False
        if key in self.seen:
            same = self.seen[key] == hash(repr(values))
            reason = f"{REPEATED} {SAME if same else OTHER}"
            self.losses.add(reason, POLICY, "augment", f"{self.name}:{line}: {key}")
            return False
        self.seen[key] = hash(repr(values))
        return True
