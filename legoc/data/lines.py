"""Headerless tab-separated files, read as they are: no quoting, no guessing of types.

Rows are checked one by one, so a wrong layout is found at its file, line and column, and staged as
Parquet, so that everything after it is bounded in memory.
"""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from legoc.language.diagnostics import LegoError, fail


# Rows staged at a time: with long impressions about 50 MB.
BLOCK = 65536


def read_rows(path: Path, columns: Sequence[str], shown: str) -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and fields of every row; empty lines are left out.

    `shown` is how messages call the file. Raises E0621 for a row with other columns, E0622
    for bytes that are not UTF-8 and for a gzip file that ends early.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opened(path, "rb") as file:
            for number, raw in enumerate(file, start=1):
                fields = split_row(raw, number, columns, path, shown)
                if fields is not None:
                    yield number, fields
    except (EOFError, gzip.BadGzipFile) as error:
        raise fail(
            "E0622",
            f"`{shown}` is a gzip file that breaks off after line {number}",
            "fetch the file again: the download was interrupted or the file is damaged",
            notes=(str(error),),
        ) from None
    except OSError as error:
        raise fail(
            "E0622",
            f"`{shown}` cannot be read ({error.strerror or error})",
            "check the file and its permissions",
        ) from None


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


def stage(
    files: Sequence[tuple[str, Path, str]],
    columns: Sequence[str],
    kept: Sequence[str],
    target: Path,
) -> None:
    """Write the rows of several files into one Parquet file.

    files: part, path, and how messages call the file. The result has `position` (over all files),
    `part`, `line` and the `kept` columns as text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = [list(columns).index(name) for name in kept]
    schema = pa.schema(
        [("position", pa.int64()), ("part", pa.string()), ("line", pa.int64())]
        + [(name, pa.string()) for name in kept]
    )
    position = 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:

        def flush(part: str, numbers: list[int], texts: list[list[str]]) -> None:
            block = [
                pa.array(range(position - len(numbers), position), pa.int64()),
                pa.array([part] * len(numbers), pa.string()),
                pa.array(numbers, pa.int64()),
                *(pa.array([row[i] for row in texts], pa.string()) for i in range(len(kept))),
            ]
            writer.write_batch(pa.record_batch(block, schema=schema))

        for part, path, shown in files:
            numbers: list[int] = []
            texts: list[list[str]] = []
            for number, fields in read_rows(path, columns, shown):
                numbers.append(number)
                texts.append([fields[i] for i in places])
                position += 1
                if len(numbers) == BLOCK:
                    flush(part, numbers, texts)
                    numbers, texts = [], []
            flush(part, numbers, texts)
