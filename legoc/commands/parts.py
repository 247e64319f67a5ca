"""Parquet files in parts: rows read from a place on, and tables that become one file.

Parts are whole blocks of the records that one process would answer together, so that whoever
answers a part gives the bits of one process.
"""

import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.asked import BLOCK, whole_parquet
from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import pyarrow

# Blocks of a part at most: what is done again when a worker is lost.
MOST = 16
# Parts of each worker at least, where there are rows for them, so that all end at about one time.
SHARES = 8


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows [start, stop) of a file."""

    number: int
    start: int
    stop: int


def cut(rows: int, workers: int) -> list[Part]:
    """The parts of a file of so many rows."""
    size = BLOCK * min(max(-(-rows // (SHARES * workers * BLOCK)), 1), MOST)
    return [
        Part(number=number, start=start, stop=min(start + size, rows))
        for number, start in enumerate(range(0, rows, size))
    ]


def verify_parquet(flag: str, path: str) -> None:
    """E0881 where records are spread that do not come from Parquet, or do not go there."""
    if Path(path).suffix.lower() != ".parquet":
        raise fail(
            "E0881",
            f"{flag} is `{path}`, and Ray's workers read and write Parquet",
            "name a `.parquet` file, or leave `--engine ray` out",
        )


def verify_alone(arguments: Namespace) -> None:
    """E0881 where a flag asks for something of workers, and there are none."""
    for flag in ("jobs", "address"):
        if getattr(arguments, flag) is not None:
            raise fail(
                "E0881",
                f"`--{flag}` is about Ray's workers, and one process does the work",
                f"add `--engine ray`, or leave `--{flag}` out",
            )


class Cursor:
    """Rows of a Parquet file by their numbers. Going forward reads each row once; going back begins
    at the row group anew. columns: those that are read, None for all."""

    def __init__(self, source: str, columns: Sequence[str] | None) -> None:
        from pyarrow.parquet import ParquetFile

        self.source, self.columns = source, None if columns is None else list(columns)
        with whole_parquet(source):
            self.file = ParquetFile(source)
        self.at = 0
        self.rest: Any = None
        self.batches: Iterator[Any] | None = None

    @property
    def rows(self) -> int:
        return self.file.metadata.num_rows

    @property
    def schema(self) -> "pyarrow.Schema":
        """That of the columns that are read."""
        import pyarrow

        whole = self.file.schema_arrow
        read = whole.names if self.columns is None else self.columns
        return pyarrow.schema([whole.field(name) for name in read])

    def read(self, start: int, stop: int) -> "pyarrow.Table":
        """Rows [start, stop). E0864 for a file that is damaged there."""
        import pyarrow

        with whole_parquet(self.source):
            if self.batches is None or start < self.at:
                self.open(start)
            found: list[Any] = []
            while self.at < stop:
                if not self.rest:
                    self.rest = next(self.batches or iter(()))
                passed = min(max(start - self.at, 0), len(self.rest))
                taken = min(len(self.rest) - passed, stop - self.at - passed)
                if taken:
                    found.append(self.rest.slice(passed, taken))
                self.rest = self.rest.slice(passed + taken)
                self.at += passed + taken
            return pyarrow.Table.from_batches(found, None if found else self.schema)

    def open(self, start: int) -> None:
        """Begin at the row group that holds a row."""
        groups = self.file.metadata.num_row_groups
        first, self.at = 0, 0
        for group in range(groups):
            rows = self.file.metadata.row_group(group).num_rows
            if self.at + rows > start:
                break
            first, self.at = group + 1, self.at + rows
        self.rest = None
        self.batches = self.file.iter_batches(
            batch_size=BLOCK, row_groups=list(range(first, groups)), columns=self.columns
        )


class Spool:
    """Tables in the order in which they come, on the disk of a folder until they are written as
    one. The file has no name: nothing of it is left, whatever ends the process."""

    def __init__(self, folder: Path) -> None:
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in __exit__
        self.sizes: list[int] = []
        self.schemas: dict[bytes, Any] = {}

    def add(self, table: bytes) -> None:
        """Take a table as bytes of Arrow's stream."""
        import pyarrow

        schema = pyarrow.ipc.open_stream(table).schema
        self.schemas.setdefault(schema.serialize().to_pybytes(), schema)
        self.file.write(table)
        self.sizes.append(len(table))

    def tables(self) -> "Iterator[pyarrow.Table]":
        import pyarrow

        self.file.seek(0)
        for size in self.sizes:
            yield pyarrow.ipc.open_stream(self.file.read(size)).read_all()

    def write(self, path: Path) -> None:
        """All rows as one Parquet file."""
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        schema = join_schemas(list(self.schemas.values()))
        with ParquetWriter(path, schema) as writer:
            for table in self.tables():
                columns = [
                    table.column(field.name).cast(field.type)
                    if field.name in table.column_names
                    else pyarrow.nulls(len(table), field.type)
                    for field in schema
                ]
                writer.write_table(pyarrow.table(columns, schema=schema))

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


def join_schemas(schemas: "Sequence[pyarrow.Schema]") -> "pyarrow.Schema":
    """One schema for all tables. A user who is a number in some and a text, or nobody, in others is
    a text, as where one process writes them."""
    import pyarrow

    kinds = {
        schema.field("user").type if "user" in schema.names else None for schema in schemas
    }  # fmt: skip
    if len(kinds) > 1:
        text = pyarrow.field("user", pyarrow.large_string())
        schemas = [
            schema.set(schema.get_field_index("user"), text) if "user" in schema.names else schema
            for schema in schemas
        ]
    return pyarrow.unify_schemas(schemas, promote_options="permissive")


def to_bytes(table: "pyarrow.Table") -> bytes:
    """A table as `Spool` takes it."""
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()
