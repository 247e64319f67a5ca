"""The files of a user's own tables: where they lie, in which format, and how text in them is laid
out. The check reads their headers and `legoc.data` their rows, by the same names."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.diagnosing.suggest import listing


NAMES = ("items", "interactions", "histories", "users")
# What ends a table's name; text formats may be compressed.
FORMATS = (".parquet", ".csv", ".tsv", ".jsonl", ".json")
# The files of RecBole, whose columns are named with their types.
ATOMIC = {"items": ".item", "interactions": ".inter", "users": ".user"}
TYPED = re.compile(r"(?P<name>.+):(?P<type>token|token_seq|float|float_seq)")
# Names of what lies in a folder that a message shows.
SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """One file of a table. format: one of FORMATS; shown: how messages call it."""

    path: Path
    format: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How delimited text is laid out; a delimiter of None is what the file's name says."""

    delimiter: str | None = None
    encoding: str = "utf-8"

    def sign(self, format: str) -> str:
        if self.delimiter is not None:
            return self.delimiter
        return "\t" if format == ".tsv" else ","


PLAIN = Dialect()


def format_of(path: Path) -> str:
    """The format that a name tells, `.gz` left aside."""
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    return ".tsv" if ending in ATOMIC.values() else ending


def dialect_of(args: Mapping[str, Any]) -> Dialect:
    return Dialect(delimiter=args.get("delimiter"), encoding=args.get("encoding") or "utf-8")


def find_tables(args: Mapping[str, Any]) -> Mapping[str, tuple[TableFile, ...]]:
    """The files of each table that is there, by the settings of `Tables`. Raises E0620 for a table
    that lies there twice, and for a named file that does not."""
    folder = Path(args["path"])
    found: dict[str, tuple[TableFile, ...]] = {}
    for name in NAMES:
        given: Sequence[str] = args.get(name) or ()
        files = named_files(folder, name, given) if given else table_files(folder, name)
        if files:
            found[name] = tuple(files)
    return found


def need_tables(args: Mapping[str, Any]) -> Mapping[str, tuple[TableFile, ...]]:
    """`find_tables`, where items and interactions must be."""
    found = find_tables(args)
    for name in ("items", "interactions"):
        if name not in found:
            raise missing_table(Path(args["path"]), name)
    return found


def table_files(folder: Path, name: str) -> list[TableFile]:
    """The files of a table by the convention: `items.csv`, `items.parquet/part-*`, `x.item`."""
    endings = [*FORMATS, *(f"{ending}.gz" for ending in FORMATS[1:])]
    there = [path for ending in endings if (path := folder / f"{name}{ending}").exists()]
    if not there and name in ATOMIC and folder.is_dir():
        there = sorted(folder.glob(f"*{ATOMIC[name]}"))
    if len(there) > 1:
        raise fail(
            "E0620",
            f"`{shown_path(folder)}` holds `{name}` more than once: "
            f"{', '.join(f'`{path.name}`' for path in there)}",
            f'keep one of them, or name those that are meant: `{name}=["{there[0].name}"]`',
        )
    return [file for path in there for file in whole_file(path, folder)]


def named_files(folder: Path, name: str, given: Sequence[str]) -> list[TableFile]:
    """The files that the setting `name` names, each a name or a pattern in the folder."""
    found: list[TableFile] = []
    for pattern in given:
        if any(sign in pattern for sign in "*?["):
            paths = sorted(folder.glob(pattern))
        else:
            paths = [path] if (path := folder / pattern).exists() else []
        if not paths:
            raise fail(
                "E0620",
                f"`{name}` names `{pattern}`, and there is no such file",
                f"name a file of `{shown_path(folder)}`: {whats_there(folder)}",
            )
        found += [file for path in paths for file in whole_file(path, folder)]
    return found


def whole_file(path: Path, folder: Path) -> list[TableFile]:
    """A file, or the parts of a folder that stands for one, as Spark writes it."""
    format = format_of(path)
    if format not in FORMATS:
        raise fail(
            "E0620",
            f"`{path.name}` is no table: its name tells no format",
            f"let it end in {listing(FORMATS)}, the text formats also with `.gz`",
        )
    if not path.is_dir():
        return [TableFile(path=path, format=format, shown=shown_name(path, folder))]
    parts = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] not in "._")
    if not parts:
        raise fail("E0620", f"`{shown_path(path)}` holds no part of a table", "write it again")
    return [
        TableFile(
            path=part, shown=shown_name(part, folder),
            format=own if (own := format_of(part)) in FORMATS else format,
        )
        for part in parts
    ]  # fmt: skip


def shown_path(path: Path) -> str:
    """A path as it is, or as seen from here, whichever is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def shown_name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def missing_table(folder: Path, name: str) -> LegoError:
    """E0620 for a table that must be there: what lies there instead, and how to name it."""
    there = [path for path in tables_of(folder) if path.name.split(".")[0] not in NAMES]
    if there:
        help = f'name the file that is meant: `{name}=["{there[0].name}"]`'
    else:
        help = (
            f"write the table `{name}` as `{name}.csv`, `.tsv`, `.jsonl` or `.parquet`; "
            "docs/own_data.md shows how"
        )
    notes = (f"`{folder.name}` holds {whats_there(folder)}",) if folder.is_dir() else ()
    return fail("E0620", f"`{shown_path(folder / name)}.csv` is missing", help, notes=notes)


def tables_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if format_of(path) in FORMATS)


def whats_there(folder: Path) -> str:
    """The names in a folder, as many as a message shows."""
    if not folder.is_dir():
        return "there is no such folder"
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more if names else "nothing"


def column_types(names: Sequence[str]) -> dict[str, tuple[str, str]] | None:
    """Name and type by column of a header as RecBole writes it; None for any other header."""
    found = {each: match for each in names if (match := TYPED.fullmatch(each))}
    if not names or len(found) < len(names):
        return None
    return {each: (match["name"], match["type"]) for each, match in found.items()}


def plain_names(names: Sequence[str]) -> list[str]:
    """The columns of a header, without the types that RecBole writes behind them."""
    types = column_types(names)
    return list(names) if types is None else [types[name][0] for name in names]
