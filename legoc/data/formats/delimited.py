"""Delimited text: CSV and TSV with a header, and forms without one. Values stay text."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from legoc.data.formats.opened import decode, read_lines
from legoc.data.formats.truncation import is_cut
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import LegoError, fail


def read_header(path: Path, shown: str, separator: str = ",") -> tuple[str, ...]:
    """The column names of a file; an empty file has none."""
    for number, raw in read_lines(path, shown):
        text = decode(raw, number, shown)
        if text.strip():
            return tuple(next(csv.reader([text], delimiter=separator)))
    return ()


def read_table(
    path: Path,
    shown: str,
    columns: Sequence[str],
    losses: Losses,
    part: str,
    *,
    separator: str = ",",
    encoding: str = "utf-8",
    rename: Callable[[Sequence[str]], list[str]] = list,
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line number and the values of `columns`, in this order, of every row below the header.

    A row of another width is counted in `losses` and left out. Raises E0621 for a header that
    lacks a column (it names the column) or a first row of another width, E0622 for a file that is
    not of its encoding or cannot be read to its end. rename: what the columns of a header are
    called.
    """
    lines = read_texts(path, shown, encoding)
    # Strict, because a quote that is never closed would swallow the rows behind it.
    rows = csv.reader(lines, delimiter=separator, strict=True)
    places: list[int] = []
    names: list[str] = []
    good = last = 0
    try:
        for row in rows:
            first, last = last + 1, rows.line_num
            if not row:
                continue
            if not names:
                names = rename(row)
                places = locate(names, columns, path, shown)
                continue
            if len(row) == len(names):
                good += 1
                yield first, tuple([row[place] for place in places])
                continue
            if not good:
                raise other_width(shown, first, len(row), len(names), ", ".join(names))
            losses.add(
                "row with another number of columns", "dropped", part,
                f"{shown}:{first}: {row[0][:40]}",
            )  # fmt: skip
    except csv.Error as error:
        if is_cut(shown):
            # The last row breaks off within its quotes.
            return
        raise fail(
            "E0621",
            f"`{shown}` line {last + 1} cannot be read as a row ({error})",
            "check the quotes of this line: one may be open, or text may follow a closed one",
        ) from None
    if not names:
        raise fail("E0625", f"`{shown}` is empty", f"its first line names {', '.join(columns)}")


def read_texts(path: Path, shown: str, encoding: str) -> Iterator[str]:
    """The lines of a file. Where a character has several bytes of its own, as in UTF-16, the bytes
    of a line's end may stand within another, so the file is decoded as a whole."""
    if not encoding.lower().replace("-", "").replace("_", "").startswith(("utf16", "utf32")):
        for number, raw in read_lines(path, shown):
            yield decode(raw, number, shown, encoding)
        return
    whole = b"".join(raw for _, raw in read_lines(path, shown))
    yield from decode(whole, 1, shown, encoding).splitlines(keepends=True)


def locate(names: Sequence[str], columns: Sequence[str], path: Path, shown: str) -> list[int]:
    """The place of each column in a header."""
    places: list[int] = []
    for column in columns:
        if column not in names:
            raise missing_column(column, names, path, shown)
        if names.count(column) > 1:
            raise fail(
                "E0621",
                f"`{shown}` has more than one column `{column}`",
                "rename or remove one of them",
                notes=(f"its columns are {', '.join(names)}", f"the file is {path}"),
            )
        places.append(names.index(column))
    return places


def missing_column(column: str, names: Sequence[str], path: Path, shown: str) -> LegoError:
    """E0621 for a header without a column."""
    if names and names[0].startswith("version https://git-lfs"):
        hint = "this is a Git LFS pointer and not the file: fetch it with `git lfs pull`"
    else:
        hint = f"name a column `{column}`, or use the publisher's own file"
    return fail(
        "E0621",
        f"`{shown}` has no column `{column}`",
        hint,
        notes=(f"its columns are {', '.join(names)}", f"the file is {path}"),
    )


def read_split(
    path: Path,
    shown: str,
    columns: Sequence[str],
    losses: Losses,
    part: str,
    *,
    separator: str,
    encoding: str = "utf-8",
) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of a file without header and quoting.

    A line is split at the first separators only, so the last field may hold more of them. A line
    with too few is counted in `losses`, or E0621 where it is the first.
    """
    most = len(columns) - 1
    good = 0
    for number, raw in read_lines(path, shown):
        text = decode(raw, number, shown, encoding).rstrip("\r\n")
        if not text:
            continue
        fields = text.split(separator, most)
        if len(fields) == len(columns):
            good += 1
            yield number, fields
            continue
        if not good:
            raise other_width(shown, number, len(fields), len(columns), ", ".join(columns))
        losses.add(
            "row with another number of columns", "dropped", part,
            f"{shown}:{number}: {text[:40]}",
        )  # fmt: skip


def other_width(shown: str, number: int, found: int, expected: int, names: str) -> LegoError:
    return fail(
        "E0621",
        f"`{shown}` line {number} has {found} column{'s' if found != 1 else ''}, not {expected}",
        "use the publisher's file, or write each row with the columns of the first line",
        notes=(f"the columns are {names}",),
    )
