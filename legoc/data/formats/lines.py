"""Headerless tab-separated files, read as they are: no quoting, no guessing of types.

Rows are checked one by one, so a wrong layout is found at its file, line and column. Blocks in
which every line is plain take a shorter way (`formats.blocks`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from legoc.data.formats.opened import read_lines
from legoc.language.diagnosing.diagnostics import LegoError, fail


def read_rows(path: Path, columns: Sequence[str], shown: str) -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and fields of every row; empty lines are left out.

    `shown` is how messages call the file. Raises E0621 for a row with other columns, E0622
    for bytes that are not UTF-8 and for a gzip file that ends early.
    """
    for number, raw in read_lines(path, shown):
        fields = split_row(raw, number, columns, path, shown)
        if fields is not None:
            yield number, fields


def split_row(
    raw: bytes, number: int, columns: Sequence[str], path: Path, shown: str
) -> list[str] | None:
    """The fields of one line, or None for an empty one."""
    line = raw.rstrip(b"\r\n") if raw.endswith(b"\r\n") else raw.rstrip(b"\n")
    if number == 1 and line.startswith(b"\xef\xbb\xbf"):
        line = line[3:]
    if not line.strip():
        return None
    try:
        fields = line.decode("utf-8").split("\t")
    except UnicodeDecodeError as error:
        column = line.count(b"\t", 0, error.start)
        name = columns[min(column, len(columns) - 1)]
        raise fail(
            "E0622",
            f"`{shown}` line {number}, column {column + 1} ({name}) is not UTF-8",
            "use the publisher's file; it is UTF-8 and was converted on the way",
        ) from None
    if len(fields) != len(columns):
        raise wrong_layout(fields, number, columns, path, shown)
    return fields


def wrong_layout(
    fields: Sequence[str], number: int, columns: Sequence[str], path: Path, shown: str
) -> LegoError:
    count = f"{len(fields)} column{'s' if len(fields) != 1 else ''}"
    if len(fields) < len(columns):
        first = f"column {len(fields) + 1} (`{columns[len(fields)]}`) is missing"
    else:
        first = f"column {len(columns) + 1} is one too many"
    if fields[0].startswith("version https://git-lfs"):
        hint = "this is a Git LFS pointer and not the file: fetch it with `git lfs pull`"
    else:
        hint = "restore the publisher's file: tabs between columns, no header, no quoting"
    return fail(
        "E0621",
        f"`{shown}` line {number} has {count}, not {len(columns)}: {first}",
        hint,
        notes=(f"the columns are {', '.join(columns)}", f"the file is {path}"),
    )
