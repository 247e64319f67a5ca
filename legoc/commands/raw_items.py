"""Items of a Parquet file, with their raw attributes, as vectors of a bundle's item encoder.

Letters: I items of a table, D width.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.language.diagnosing.diagnostics import fail
from legoc_runtime import RequestError
from legoc_runtime.adding import encode_read, read_records, record_id


if TYPE_CHECKING:
    import pyarrow

    from legoc_runtime import Model

# What names the item: the field of `items.add`, and the column of the tables of training.
IDS = ("id", "item_id")


def item_columns(model: "Model", source: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """The column of the ids, and those that are read. E0883 where a table has none of the ids or of
    what the model reads, and for a model whose items are rows of a table."""
    try:
        reads = model.items.need_reader().attributes
    except RequestError as error:
        raise fail("E0883", f"`--items`: {error.message}", error.help) from None
    shown = ", ".join(f"`{name}`" for name in names[:8])
    found = [name for name in IDS if name in names]
    if not found:
        raise fail(
            "E0883", f"`{source}` has no column `id` or `item_id`", f"its columns are {shown}"
        )
    wanted = [name for name in reads if name in names]
    if not wanted:
        known = ", ".join(f"`{name}`" for name in reads)
        raise fail(
            "E0883",
            f"`{source}` has none of the attributes that the model reads, {known}",
            f"its columns are {shown}",
        )
    return found[0], [found[0], *wanted]


def encode_items(
    model: "Model", source: str, name: str, table: "pyarrow.Table", start: int
) -> "pyarrow.Table":
    """The ids of I items, as texts in the column `name`, and their vectors F[I, D]. start: the
    rows before them, for messages. E0883 at a row without an id, with a value of another kind, or
    whose vector is not finite."""
    import pyarrow

    records = [{**row, "id": row[name]} for row in table.to_pylist()]
    ids: list[str] = []
    for number, record in enumerate(records, start + 1):
        try:
            ids.append(record_id(record))
        except RequestError as error:
            raise refused(source, number, error) from None
    reader = model.items.need_reader()
    try:
        read = read_records(reader, records)
    except RequestError:
        # One of them is at fault: each is read alone.
        for number, record in enumerate(records, start + 1):
            try:
                reader.read([record])
            except RequestError as error:
                raise refused(source, number, error) from None
        raise
    vectors = encode_read(model.graphs, read, np.arange(len(records)))
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        place = int(broken[0])
        raise fail(
            "E0883",
            f"{source}, row {start + place + 1}: the model makes no finite vector of "
            f"`{ids[place]}`",
            "leave it out, or export the model again",
        )
    width = vectors.shape[1]
    flat: Any = pyarrow.array(vectors.reshape(-1), pyarrow.float32())
    made = pyarrow.FixedSizeListArray.from_arrays(flat, width)
    return pyarrow.table({name: pyarrow.array(ids, pyarrow.string()), "vector": made})


def refused(source: str, number: int, error: RequestError) -> Exception:
    return fail("E0883", f"{source}, row {number}: {error.message}", error.help)
