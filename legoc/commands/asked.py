"""Files of records, read in blocks: JSON lines, CSV, TSV or Parquet.

Of a pipe a block is the lines that are there, so one line that is asked is answered at once and a
file that is piped in is answered in blocks.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from legoc.commands.records import (
    PROFILE,
    TIMES,
    USERS,
    Record,
    Refused,
    decode,
    read_json,
    read_record,
)
from legoc.language.diagnosing.diagnostics import fail


FORMS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
Block = list[Record | Refused]
MORE = (*USERS, *TIMES, PROFILE)
# Records that are encoded together, and what is read at once of a file.
BLOCK = 512
CHUNK = 1 << 18


def form(path: str) -> str:
    """How a file holds records, by its ending."""
    if path == "-":
        return ".jsonl"
    ending = Path(path).suffix.lower()
    if ending not in FORMS:
        raise fail(
            "E0862",
            f"`{path}` ends in {ending or 'nothing'}, which says nothing of its form",
            f"use one of {', '.join(FORMS)}, or - for JSON lines",
        )
    return ending


def verify_source(source: str) -> None:
    form(source)
    if source == "-" and sys.stdin is None:
        raise fail("E0863", "standard input is closed", "name a file, or pipe the records in")
    if source != "-" and not Path(source).is_file():
        raise fail(
            "E0863",
            f"there is no file `{source}`",
            "check the path, or give - and pipe the records in",
        )


def read_blocks(source: str, needs: Sequence[str]) -> Iterator[Block]:
    """The records of a file, at most BLOCK at a time. Raises E0864 for a file that is none of its
    form, E0860 for a table without a column of `needs`."""
    ending = form(source)
    if ending in (".jsonl", ".json"):
        return read_lines(source, needs)
    return blocks(read_parquet(source, needs) if ending == ".parquet" else read_csv(source, needs))


def read_lines(source: str, needs: Sequence[str]) -> Iterator[Block]:
    before = 0
    with nullcontext(sys.stdin.buffer) if source == "-" else open(source, "rb") as file:
        for lines in whole_lines(file):
            yield from blocks(
                read_json(f"{source}:{number}", line, needs)
                for number, line in enumerate(lines, before + 1)
                if line.strip()
            )
            before += len(lines)


def whole_lines(file: IO[bytes]) -> Iterator[list[bytes]]:
    """The lines that are there, as soon as one is whole."""
    parts: list[bytes] = []
    # `read1` gives what a pipe holds and waits only where it holds nothing.
    while chunk := file.read1(CHUNK):  # type: ignore[attr-defined]
        if b"\n" not in chunk:
            parts.append(chunk)
            continue
        *lines, rest = b"".join([*parts, chunk]).split(b"\n")
        parts = [rest]
        yield lines
    if last := b"".join(parts):
        yield [last]


def blocks(records: Iterator[Record | Refused]) -> Iterator[Block]:
    found: Block = []
    for record in records:
        found.append(record)
        if len(found) == BLOCK:
            yield found
            found = []
    if found:
        yield found


def read_csv(source: str, needs: Sequence[str]) -> Iterator[Record | Refused]:
    """Rows by the names of the header. A row with other cells than the header has is refused."""
    # A history may be longer than the limit of Python, which is there against broken quotes.
    csv.field_size_limit(1 << 30)
    separator = "," if form(source) == ".csv" else "\t"
    with open(source, "rb") as file:
        lines = (decode(f"{source}:{number}", line) for number, line in enumerate(file, 1))
        rows = csv.reader(lines, delimiter=separator, strict=True)
        names: list[str] | None = None
        try:
            for row in rows:
                place = f"{source}:{rows.line_num}"
                if not row:
                    continue
                if names is None:
                    names = row
                    verify_columns(source, names, needs)
                elif len(row) != len(names):
                    yield Refused(
                        error=fail(
                            "E0864",
                            f"{place}: {len(row)} cells, and the header names {len(names)}",
                            "put cells that hold the separator in quotes",
                        )
                    )
                else:
                    yield read_record(place, table_row(zip(names, row, strict=True)), needs)
        except csv.Error as error:
            raise fail(
                "E0864",
                f"{source}:{rows.line_num}: the table breaks here ({error})",
                "close the quotes; a quote inside a cell is written twice",
            ) from None
    if names is None:
        raise fail("E0864", f"`{source}` is empty", f"give it a header: {', '.join(needs)}")


def table_row(cells: Any) -> dict[str, Any]:
    """A row as a record; a user who is not named is none."""
    row = dict(cells)
    return {name: cell for name, cell in row.items() if name not in USERS or cell != ""}


def read_parquet(source: str, needs: Sequence[str]) -> Iterator[Record | Refused]:
    from pyarrow.parquet import ParquetFile

    before = 0
    with whole_parquet(source), ParquetFile(source) as table:
        wanted = choose_columns(source, table.schema_arrow.names, needs)
        for batch in table.iter_batches(batch_size=BLOCK, columns=wanted):
            for number, row in enumerate(batch.to_pylist(), before + 1):
                yield read_record(f"{source}, row {number}", row, needs)
            before += len(batch)


def choose_columns(source: str, names: Sequence[str], needs: Sequence[str]) -> list[str]:
    """The columns of a table that a record is read from. Raises as `read_blocks`."""
    verify_columns(source, names, needs)
    return [name for name in names if name in (*needs, *MORE)]


@contextmanager
def whole_parquet(source: str) -> Iterator[None]:
    """E0864 for a file that is no Parquet, or is cut off."""
    from pyarrow import ArrowException

    try:
        yield
    except ArrowException as error:
        raise fail(
            "E0864",
            f"`{source}` cannot be read as Parquet ({str(error).splitlines()[0]})",
            "write it again, or give JSON lines",
        ) from None


def verify_columns(source: str, names: Sequence[str], needs: Sequence[str]) -> None:
    for field in (*needs, *MORE):
        if names.count(field) > 1:
            raise fail("E0864", f"`{source}` has two columns `{field}`", "leave one out")
    for field in needs:
        if field not in names:
            shown = ", ".join(f"`{name}`" for name in names[:8])
            raise fail("E0860", f"`{source}` has no column `{field}`", f"its columns are {shown}")
