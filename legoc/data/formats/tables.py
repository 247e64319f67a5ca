"""A user's own tables, in any of their formats, as rows of the columns asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

from legoc.data.formats.delimited import missing_column, read_table
from legoc.data.formats.json_lines import read_json, read_json_lines
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.typing.parquet import read_names, read_values
from legoc.language.typing.table_files import Dialect, TableFile, plain_names


def read_own(
    file: TableFile, columns: Sequence[str], losses: Losses, dialect: Dialect
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Line (for Parquet and lists of JSON: record, from 1) and the values of `columns` of every
    row.

    Values are text in delimited files and what the format says elsewhere; a missing one is None.
    Raises E0621 for a column that is not there, E0622 for a file that cannot be read.
    """
    path, shown = file.path, file.shown
    match file.format:
        case ".csv" | ".tsv":
            yield from read_table(
                path, shown, columns, losses, shown,
                separator=dialect.sign(file.format), encoding=dialect.encoding, rename=plain_names,
            )  # fmt: skip
        case ".jsonl" | ".json":
            reader = read_json if file.format == ".json" else read_json_lines
            for line, record in reader(path, shown, losses, shown, dialect.encoding):
                yield line, tuple([record.get(column) for column in columns])
        case _:
            yield from read_parquet(file, columns)


def read_parquet(file: TableFile, columns: Sequence[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Row (from 1) and values of every row."""
    try:
        names = read_names(file.path)
        for column in columns:
            if column not in names:
                raise missing_column(column, names, file.path, file.shown)
        yield from enumerate(read_values(file.path, columns), start=1)
    except (ValueError, OSError) as error:
        raise fail(
            "E0622",
            f"`{file.shown}` is no Parquet file that can be read",
            "write the file again, or save it as CSV",
            notes=(str(error),),
        ) from None
