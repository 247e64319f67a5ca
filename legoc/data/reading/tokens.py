"""From the items table to token matrices, through the reader that serves new items too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.cache import digest, obtain
from legoc.data.indexing.tables import Tables, quote
from legoc.data.reading.file_stems import file_stem
from legoc.data.reading.inputs import TokenTable
from legoc.data.reading.mapped import map_matrix
from legoc.data.reading.vectors import Vectors, content_digest
from legoc.data.reading.vocabulary import CHOICES, Space, Words, write_bins, write_categories
from legoc.data.staging.first_records import quote_name
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Port
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress


# Raise when the matrices of the same tables would differ from those an older version wrote.
VERSION = 2

# Items turned into ids at a time.
BLOCK = 8192


def tokenize(
    tables: Tables,
    attributes: Sequence[Attribute],
    *,
    layout: str,
    ports: tuple[Port, ...],
    tokenizer: Call | None,
    root: Path,
    vectors: Vectors | None = None,
    progress: Progress = SILENT,
) -> tuple[TokenTable, dict[str, Any], Path]:
    """The token table of all items, its reading, and the folder the reading's files lie in.

    layout: `fields` or `sequence`. root: the cache folder. vectors: whose words the tokenizer may
    take up. The result is keyed by the content of the tables, the attributes and the tokenizer,
    and by that of the vectors where it takes up words of theirs.
    """
    check_attributes(tables, attributes)
    chosen = build_tokenizer(tokenizer)
    described = [[a.name, a.kind, a.length] for a in attributes]
    known = vectors if vectors is not None and getattr(chosen, "more", 0) else None
    read = [] if known is None else [content_digest(known, root)]
    key = digest([VERSION, tables.digest, described, layout, chosen.identity(), *read])

    def make(staging: Path) -> dict[str, Any]:
        words = () if known is None else known.words()
        return {"reading": write(tables, attributes, layout, chosen, staging, progress, words)}

    folder, manifest = obtain(root / "tokens" / key[:32], make)
    reading = manifest["reading"]
    names = [a.name for a in attributes] if layout == "fields" else ["tokens"]
    matrices = {name: load(folder, name) for name in names}
    total = np.sum([lengths for _, lengths in matrices.values()], axis=0, dtype=np.int32)
    return TokenTable(ports=ports, matrices=matrices, lengths=total), reading, folder


def build_tokenizer(call: Call | None) -> Any:
    """The tokenizer a data record names; `words` where it names none."""
    if call is None:
        return Words()
    chosen = CHOICES[call.op]
    config = getattr(chosen, "Config", None)
    return chosen(config(**call.args) if config else None)


def check_attributes(tables: Tables, attributes: Sequence[Attribute]) -> None:
    """Refuse an attribute the tables have no column for."""
    known = list(tables.report.coverage)
    for attribute in attributes:
        if attribute.name not in known:
            raise fail(
                "E0628",
                f"the items of {tables.report.source} have no attribute `{attribute.name}`",
                f"name some of {', '.join(f'`{name}`' for name in known)} in `content`",
            )


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A matrix, memory-mapped, and its lengths."""
    stem = file_stem(name)
    ids = np.load(folder / "matrices" / f"{stem}.npy", mmap_mode="r")
    # A plain view: the subclass costs more than the gather of a small batch.
    return np.asarray(ids), np.load(folder / "matrices" / f"{stem}.lengths.npy")


def write(
    tables: Tables,
    attributes: Sequence[Attribute],
    layout: str,
    tokenizer: Any,
    folder: Path,
    progress: Progress,
    known: Iterable[str] = (),
) -> dict[str, Any]:
    """Learn the vocabularies and write the matrices into `folder`; the reading."""
    progress.say("learning the vocabulary")
    reading = learn(tables, attributes, layout, tokenizer, folder, known)
    widths = {a.name: 1 if a.kind == "number" else a.length for a in attributes}
    if layout == "sequence":
        # A separator follows each attribute.
        widths = {"tokens": sum(widths.values()) + len(widths)}
    write_matrices(tables, attributes, reading, widths, folder, progress)
    return reading


def write_matrices(
    tables: Tables,
    attributes: Sequence[Attribute],
    reading: Mapping[str, Any],
    widths: Mapping[str, int],
    folder: Path,
    progress: Progress,
) -> None:
    """Write what a reading, whose files lie in `folder`, makes of all items: a matrix of each
    width by name, and its lengths."""
    from legoc_runtime.tokens import Reader

    reader = Reader.load(folder, reading)
    count = tables.report.items + 1
    target = folder / "matrices"
    target.mkdir()
    matrices = {
        name: map_matrix(target / f"{file_stem(name)}.npy", np.int32, (count, width))
        for name, width in widths.items()
    }
    lengths = {name: np.zeros(count, dtype=np.int32) for name in widths}
    first = 1
    with progress.task("tokens", count - 1, "items") as task:
        for records in read_items(tables, attributes):
            last = first + len(records)
            for name, (ids, real) in reader.read(records).items():
                matrices[name][first:last, : ids.shape[1]] = ids
                lengths[name][first:last] = real
            first = last
            task.advance(len(records))
    for name, matrix in matrices.items():
        matrix.flush()
        np.save(target / f"{file_stem(name)}.lengths.npy", lengths[name])


def learn(
    tables: Tables,
    attributes: Sequence[Attribute],
    layout: str,
    tokenizer: Any,
    folder: Path,
    known: Iterable[str] = (),
) -> dict[str, Any]:
    """Learn from the training items and write tokenizers/ and vocabularies/; the reading. known:
    words that pre-trained vectors have."""
    texts = [a.name for a in attributes if a.kind == "text"]
    space = Space(rows=3, unknown=1, separator=2)
    place = f"tokenizers/{tokenizer.name}/tokenizer.json"
    if texts:
        space = tokenizer.write(training_texts(tables, texts), folder / place, known)
    parts: dict[str, dict[str, Any]] = {}
    for attribute in attributes:
        parts[attribute.name] = {
            "name": attribute.name, "kind": attribute.kind,
            "length": 1 if attribute.kind == "number" else attribute.length,
            **tables.report.notation.get(attribute.name, {}),
        }  # fmt: skip
        if attribute.kind == "text":
            parts[attribute.name]["tokenizer"] = place
        else:
            parts[attribute.name]["vocabulary"] = f"vocabularies/{file_stem(attribute.name)}.json"
    # Categories come before numbers in the space of ids, whatever the reading order.
    for kind in ("category", "number"):
        for attribute in attributes:
            if attribute.kind == kind:
                path = folder / parts[attribute.name]["vocabulary"]
                values = training_values(tables, attribute.name)
                if kind == "category":
                    write_categories(attribute.name, values, path, space)
                else:
                    write_bins(values, attribute.length, path, space)
    return {
        "layout": layout, "rows": space.rows, "padding": 0, "unknown": space.unknown,
        "separator": space.separator, "parts": [parts[a.name] for a in attributes],
    }  # fmt: skip


def training_texts(tables: Tables, names: Sequence[str]) -> Iterator[str]:
    """Every text of the training items."""
    from legoc_runtime.values import read_text

    for records in read_rows(tables, names, training=True):
        for record in records:
            for name in names:
                if text := read_text(name, record[name]):
                    yield text


def training_values(tables: Tables, name: str) -> list[Any]:
    return [
        record[name] for records in read_rows(tables, [name], training=True) for record in records
    ]


def read_items(
    tables: Tables, attributes: Sequence[Attribute]
) -> Iterator[list[Mapping[str, Any]]]:
    """The records of all items in order, in blocks."""
    yield from read_rows(tables, [a.name for a in attributes], training=False)


def read_rows(
    tables: Tables, names: Sequence[str], *, training: bool
) -> Iterator[list[Mapping[str, Any]]]:
    """Blocks of item records in the order of the table; with `training`, those training shows."""
    columns = ", ".join(map(quote_name, names))
    shown = f"SELECT item_id FROM read_parquet({quote(tables.path('training'))})"
    condition = f"WHERE item_id IN ({shown})" if training else ""
    with tables.connect() as connection:
        relation = connection.sql(
            f"SELECT {columns} FROM read_parquet({quote(tables.path('items'))}, "
            f"file_row_number = true) {condition} ORDER BY file_row_number"
        )
        for batch in relation.to_arrow_reader(BLOCK):
            yield batch.to_pylist()
