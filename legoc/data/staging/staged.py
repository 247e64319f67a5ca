"""Rows written block by block into one Parquet file, so that a log of any length stays on disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any


# Rows held at a time.
BLOCK = 65536


class Staged:
    """A Parquet file with the given columns, filled by `add`, and the number of each row from 0.

    columns: kind by name, one of `text`, `integer`, `number`, `texts` (a list), `integers`.
    numbered: the column of the row numbers; None for none. Used in a `with` block; `close` writes
    what is left.
    """

    def __init__(
        self, target: Path, columns: Mapping[str, str], *, numbered: str | None = "position"
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {
            "text": pa.string(), "integer": pa.int64(), "number": pa.float64(),
            "texts": pa.list_(pa.string()), "integers": pa.list_(pa.int64()),
        }  # fmt: skip
        self.numbered = numbered is not None
        fields = [(name, kinds[kind]) for name, kind in columns.items()]
        self.schema = pa.schema(fields if numbered is None else [(numbered, pa.int64()), *fields])
        self.writer = pq.ParquetWriter(target, self.schema, compression="zstd")
        self.held: list[Sequence[Any]] = []
        self.position = 0

    def add(self, *values: Any) -> None:
        """One row, its values in the order of the columns."""
        self.held.append(values)
        if len(self.held) == BLOCK:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        first = self.position
        self.position += len(self.held)
        numbers = [pa.array(range(first, self.position), pa.int64())] if self.numbered else []
        fields = list(self.schema)[len(numbers) :]
        held = zip(*self.held, strict=True)
        arrays = [pa.array(v, f.type) for f, v in zip(fields, held, strict=True)]
        self.writer.write_batch(pa.record_batch([*numbers, *arrays], schema=self.schema))
        self.held = []

    def close(self) -> None:
        if self.held:
            self.flush()
        self.writer.close()

    def __enter__(self) -> "Staged":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.writer.close()
