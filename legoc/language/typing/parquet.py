"""Rows of Parquet as plain Python values. pyarrow is loaded by whoever calls."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc_runtime.kinds import ColumnKind


# Rows held at a time.
BLOCK = 8192


def read_names(path: Path) -> list[str]:
    """The columns of a file. ValueError for one that is no Parquet."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        return list(read_schema(path).names)
    except ArrowException as error:
        raise ValueError(str(error)) from error


def read_kinds(path: Path) -> "dict[str, ColumnKind]":
    """What the types of the columns say: numbers, lists, and everything else."""
    import pyarrow.types as kinds
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    def kind(given: Any) -> "ColumnKind":
        if kinds.is_integer(given) or kinds.is_floating(given) or kinds.is_decimal(given):
            return "number"
        return "category" if kinds.is_list(given) or kinds.is_large_list(given) else "word"

    try:
        return {field.name: kind(field.type) for field in read_schema(path)}
    except ArrowException as error:
        raise ValueError(str(error)) from error


def read_values(
    path: Path, columns: Sequence[str], *, block: int = BLOCK
) -> Iterator[tuple[Any, ...]]:
    """The values of the columns of every row. ValueError for a file that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(block, columns=list(columns)):
                yield from zip(*(values_of(batch.column(name)) for name in columns), strict=True)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


def values_of(column: Any) -> list[Any]:
    """The values of an array. A float of 32 bits is the number its shortest text says, as every
    text format would write it; a moment is one of microseconds."""
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_float16(kind) or kinds.is_float32(kind):
        given = column.to_numpy(zero_copy_only=False)
        return [
            float(str(value)) if there else None
            for value, there in zip(given, column.is_valid().to_pylist(), strict=True)
        ]
    if kinds.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    return column.to_pylist()
