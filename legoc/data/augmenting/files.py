"""The tables of `augment`, read row by row into Parquet under the name of their key.

csv, tsv and JSON lines are read as they are: ids and words verbatim, and the kind of a JSON column
is that of its first value, as the check takes it. Parquet keeps its types.
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


KEYS = ("item_id", "user_id")

NOT_A_NUMBER = ("value that is not a number", "left empty")
REPEATED = "key of an augmenting table"


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A staged table: `key` is `item_id` or `user_id`, unique and text; `columns` the others."""

    key: str
    columns: tuple[str, ...]
    path: Path
    shown: str


def stage_table(path: Path, target: Path, losses: Losses) -> Joining:
    """Stage one table by the ending of its name. Raises E0640 for what cannot be joined."""
    match path.suffix.lower():
        case ".csv":
            return stage_words(path, target, ",", losses)
        case ".tsv":
            return stage_words(path, target, "\t", losses)
        case ".jsonl":
            return stage_json(path, target, losses)
        case ".parquet":
            return stage_parquet(path, target, losses)
        case _:
            raise fail(
                "E0640",
                f"`{path.name}` is no table: its name ends in `{path.suffix}`",
                "give a .parquet, .csv, .tsv or .jsonl file, or a .log of generated text",
            )


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


def stage_words(path: Path, target: Path, separator: str, losses: Losses) -> Joining:
    """A csv or tsv: every value is text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=separator, strict=True)
        try:
            names = next(lines, [])
            key = find_key(names, path)
            if repeated := [name for name in names if name.strip() and names.count(name) > 1]:
                raise unreadable(path, 1, f"column `{repeated[0]}` is there twice")
            # A column without a name is the index a frame was written with.
            places = [n for n, name in enumerate(names) if name != key and name.strip()]
            columns, place = [names[n] for n in places], names.index(key)
            kept = Once(path, losses)
            with Staged(target, dict.fromkeys((key, *columns), "text"), numbered=None) as staged:
                for row in lines:
                    if not row:
                        continue
                    if len(row) != len(names):
                        count = f"{len(row)} columns, not {len(names)}"
                        raise unreadable(path, lines.line_num, count)
                    others = [row[n] for n in places]
                    if kept.first(row[place], lines.line_num, others):
                        staged.add(row[place], *others)
        except UnicodeDecodeError as error:
            raise unreadable(path, lines.line_num + 1, "not UTF-8") from error
        except csv.Error as error:
            raise unreadable(path, lines.line_num, f"not a table ({error})") from error
    return Joining(key=key, columns=tuple(columns), path=target, shown=path.name)


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


def stage_json(path: Path, target: Path, losses: Losses) -> Joining:
    """JSON lines; the first line names the columns and their kinds."""
    _, first = next(read_objects(path), (0, {}))
    key = find_key(list(first), path)
    kinds = {name: kind_of(v) for name, v in first.items() if name != key and name.strip()}
    kept = Once(path, losses)
    with Staged(target, {key: "text", **kinds}, numbered=None) as staged:
        for number, record in read_objects(path):
            if strange := sorted(record.keys() - first.keys()):
                raise unreadable(path, number, f"`{strange[0]}` is no column of the first line")
            name = record.get(key)
            given = [record.get(column) for column in kinds]
            if kept.first("" if name is None else str(name), number, given):
                place = f"{path.name}:{number}"
                pairs = zip(given, kinds.values(), strict=True)
                staged.add(str(name), *(cast(value, kind, place, losses) for value, kind in pairs))
    return Joining(key=key, columns=tuple(kinds), path=target, shown=path.name)


def kind_of(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "texts" if isinstance(value, list) else "text"


def cast(value: object, kind: str, place: str, losses: Losses) -> object:
    """A JSON value as its column holds it."""
    if value is None:
        return None
    if kind == "number":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if value != "":
            losses.add(*NOT_A_NUMBER, "augment", f"{place}: {value!r}")
        return None
    if kind == "texts":
        given = value if isinstance(value, list) else [value]
        return [text_of(one) for one in given if one is not None]
    return text_of(value)


def text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def stage_parquet(path: Path, target: Path, losses: Losses) -> Joining:
    """Parquet: numbers and lists as they are, everything else as text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            key = find_key(names, path)
            columns = [name for name in names if name != key and name.strip()]
            kinds = {name: parquet_kind(file.schema_arrow.field(name).type) for name in columns}
            kept = Once(path, losses)
            row = 0
            with Staged(target, {key: "text", **kinds}, numbered=None) as staged:
                for batch in file.iter_batches(columns=[key, *columns]):
                    cast_columns = [pc.cast(batch.column(key), pa.string()).to_pylist()]
                    for name in columns:
                        cast_columns.append(plain(batch.column(name), kinds[name]))
                    for name, *values in zip(*cast_columns, strict=True):
                        row += 1
                        if kept.first(name or "", row, values):
                            staged.add(name, *values)
    except (pa.ArrowException, OSError) as error:
        raise fail(
            "E0640",
            f"`{path.name}` is not a Parquet table that can be read",
            "write it again, or give the table as .csv",
            notes=(str(error),),
        ) from None
    return Joining(key=key, columns=tuple(columns), path=target, shown=path.name)


def parquet_kind(given: Any) -> str:
    import pyarrow.types as kinds

    if kinds.is_integer(given) or kinds.is_floating(given) or kinds.is_decimal(given):
        return "number"
    return "texts" if kinds.is_list(given) or kinds.is_large_list(given) else "text"


def plain(column: Any, kind: str) -> list[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "number":
        return pc.cast(column, pa.float64()).to_pylist()
    if kind == "texts":
        return pc.cast(column, pa.list_(pa.string())).to_pylist()
    return [None if v is None else v if isinstance(v, str) else str(v) for v in column.to_pylist()]
