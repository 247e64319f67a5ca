"""Blocks of tab-separated lines, split at once where every line is as it should be.

What is anything else (another number of columns, other bytes than UTF-8, a lone carriage return,
an empty line) is left to the reader of single lines, which knows what to say of it and where.
"""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.lines import read_rows, split_row


if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


# Bytes read at a time: large enough that a block costs little by itself.
BLOCK = 1 << 24

MARK = b"\xef\xbb\xbf"


def stage(
    files: Sequence[tuple[str, Path, str]],
    columns: Sequence[str],
    kept: Sequence[str],
    target: Path,
) -> None:
    """Write the rows of several files into one Parquet file, bounded in memory.

    files: part, path, and how messages call the file. The result has `position` (over all files),
    `part`, `line` and the `kept` columns as text. Errors as `read_rows`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [("position", pa.int64()), ("part", pa.string()), ("line", pa.int64())]
        + [(name, pa.string()) for name in kept]
    )
    position = 0
    # It is read a few times and thrown away: dictionaries and zstd would cost more than they save.
    with pq.ParquetWriter(
        target, schema, compression="lz4", use_dictionary=["part"], write_statistics=False
    ) as writer:
        for part, path, shown in files:
            for numbers, texts in read_texts(path, columns, kept, shown):
                last = position + len(numbers)
                block = [
                    pa.array(np.arange(position, last)), pa.repeat(part, len(numbers)),
                    pa.array(numbers), *texts,
                ]  # fmt: skip
                writer.write_table(pa.table(block, schema=schema))
                position = last


def read_texts(
    path: Path, columns: Sequence[str], kept: Sequence[str], shown: str
) -> Iterator[tuple["np.ndarray", list[Any]]]:
    """Line numbers (from 1) and the `kept` columns of every row, block by block."""
    import numpy as np

    before = 0
    try:
        for block in read_blocks(path):
            lines = block.count(b"\n") + (not block.endswith(b"\n"))
            plain = split_block(block, columns, kept)
            if plain is not None:
                yield np.arange(before + 1, before + 1 + lines), plain.columns
            else:
                rows = (
                    (number, split_row(raw, number, columns, path, shown))
                    for number, raw in enumerate(io.BytesIO(block), start=before + 1)
                )
                yield gather(rows, columns, kept)
            before += lines
    except (EOFError, OSError, zlib.error):
        # The reader of lines knows where the file breaks off, and whether that is accepted.
        rest = (row for row in read_rows(path, columns, shown) if row[0] > before)
        yield gather(rest, columns, kept)


def gather(
    rows: Iterable[tuple[int, list[str] | None]], columns: Sequence[str], kept: Sequence[str]
) -> tuple["np.ndarray", list[Any]]:
    """Line numbers and columns of single rows; None is a row without anything."""
    import numpy as np
    import pyarrow as pa

    places = [list(columns).index(name) for name in kept]
    found = [(number, fields) for number, fields in rows if fields is not None]
    numbers = np.array([number for number, _ in found], dtype=np.int64)
    return numbers, [pa.array([fields[i] for _, fields in found], pa.string()) for i in places]


def read_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a plain or gzip file in blocks of whole lines; the last line may lack its end.

    Raises what opening and reading raise.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        held = b""
        while read := file.read(BLOCK):
            whole, end, rest = read.rpartition(b"\n")
            if end:
                yield b"".join((held, whole, end))
                held = rest
            else:
                held += rest
        if held:
            yield held


def split_block(block: bytes, columns: Sequence[str], kept: Sequence[str]) -> "pa.Table | None":
    """The `kept` columns of the lines of a block as text, or None where a line is not plain.

    Plain is a line of UTF-8 with one value for each of `columns`, the first not blank, that ends
    as lines do.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    # Arrow takes a lone carriage return for the end of a line, and drops a mark at any start.
    if block.startswith(MARK) or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            read_options=csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=list(columns)
            ),
            parse_options=csv.ParseOptions(
                delimiter="\t", quote_char=False, escape_char=False, ignore_empty_lines=False
            ),
            # All columns, for one that is not kept may hold other bytes than UTF-8 too.
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    shortest = pc.min(pc.binary_length(pc.ascii_trim_whitespace(table.column(0)))).as_py()
    return table.select(list(kept)) if shortest else None
