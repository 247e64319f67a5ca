"""A user's own tables, in any of four formats, as rows of the columns asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from legoc.data.readers.delimited import missing_column, read_table
from legoc.data.readers.json_lines import read_json_lines
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import fail


FORMATS = (".parquet", ".csv", ".tsv", ".jsonl")
# Rows of Parquet held at a time.
BLOCK = 8192


def find_table(folder: Path, name: str) -> Path | None:
    """The table of a name in whatever format it lies there; E0620 where it lies there twice."""
    endings = [*FORMATS, *(f"{ending}.gz" for ending in FORMATS[1:])]
    found = [path for ending in endings if (path := folder / f"{name}{ending}").is_file()]
    if len(found) > 1:
        named = ", ".join(f"`{path.name}`" for path in found)
        raise fail(
            "E0620",
            f"`{folder}` holds `{name}` more than once: {named}",
            "keep one of them, and move the others away",
        )
    return found[0] if found else None


def format_of(path: Path) -> str:
    """The ending that tells the format, `.gz` left aside."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def read_own(
    path: Path, columns: Sequence[str], losses: Losses
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Line (for Parquet: row, from 1) and the values of `columns` of every row.

    Values are text in delimited files and what the format says elsewhere; a missing one is None.
    Raises E0621 for a column that is not there, E0622 for a file that cannot be read.
    """
    ending = format_of(path)
    match ending:
        case ".csv" | ".tsv":
            separator = "\t" if ending == ".tsv" else ","
            yield from read_table(path, path.name, columns, losses, path.name, separator=separator)
        case ".jsonl":
            for line, record in read_json_lines(path, path.name, losses, path.name):
                yield line, tuple([record.get(column) for column in columns])
        case _:
            yield from read_parquet(path, columns)


def read_parquet(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Row (from 1) and values of every row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for column in columns:
                if column not in names:
                    raise missing_column(column, names, path, path.name)
            line = 0
            for batch in file.iter_batches(BLOCK, columns=list(columns)):
                values = [batch.column(column).to_pylist() for column in columns]
                for row in zip(*values, strict=True):
                    line += 1
                    yield line, row
    except pa.ArrowException as error:
        raise fail(
            "E0622",
            f"`{path.name}` is no Parquet file that can be read",
            "write the file again, or save it as CSV",
            notes=(str(error),),
        ) from None


def as_id(value: object) -> str:
    """An id as text. A whole number that a missing neighbour turned into a float loses its `.0`."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    return str(value)


def as_texts(value: object, separator: str | None) -> list[str]:
    """A list of ids or categories: a list of the format, a JSON list, or text between
    separators."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [as_id(each) for each in value if as_id(each)]
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        import json

        try:
            return [as_id(each) for each in json.loads(text)]
        except ValueError:
            pass
    return [each for each in text.split(separator) if each]
