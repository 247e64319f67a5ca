"""Changes of an item table: each gives a new one. One writer at a time makes them.

Letters: D width, I records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.adding import U8
from legoc_runtime.blocks import ROWS, Blocks, grouped
from legoc_runtime.columns import Column, with_values
from legoc_runtime.graphs import F32
from legoc_runtime.histories import TokenRows
from legoc_runtime.table import Table
from legoc_runtime.tokens import Record


@dataclass(frozen=True, kw_only=True)
class Made:
    """Records on their way into a table: ids [I], which of them have another content than before,
    the vectors [P, D] of those, digests of all U8[I, 16], and their tokens [I] where the table has
    any."""

    names: Sequence[str]
    changed: NDArray[np.intp]
    vectors: F32
    digests: U8
    tokens: TokenRows | None


def insert(
    table: Table, digests: Blocks, made: Made, records: Sequence[Record], moment: int | None
) -> tuple[Table, Blocks, set[str]]:
    """The table with these items, the digests of its rows, and which ids are new.

    What was there is shown again and has the new vectors. Names and places are written last: until
    the table is handed out, they lie beyond what any reader looks at.
    """
    known = np.array([table.places.get(name) for name in made.names], dtype=np.int64)
    new = np.flatnonzero(known == 0)
    old = np.flatnonzero(known)
    changed = made.changed[known[made.changed] > 0]
    at = np.searchsorted(made.changed, changed)
    fresh = np.searchsorted(made.changed, new)
    vectors = table.vectors.replaced(known[changed], made.vectors[at])
    vectors = vectors.extended(made.vectors[fresh])
    digests = digests.replaced(known[changed], made.digests[changed]).extended(made.digests[new])
    tokens = table.tokens
    if tokens is not None and made.tokens is not None:
        tokens = tokens.replaced(known[changed], rows_of(made.tokens, changed))
        tokens = tokens.extended(rows_of(made.tokens, new))
    columns = {name: put(c, records, known, new) for name, c in table.columns.items()}
    hidden = hide(table, known[old], show=True)
    more = -(-vectors.count // ROWS) - len(hidden)
    hidden = (*hidden, *[np.zeros(0, dtype=np.int64)] * more)
    if table.counters is not None:
        # Before the table, so that every row that is seen has its numbers.
        table.counters.grow(vectors.count, moment)
    for name in table.names[table.count :]:  # of a change that was broken off
        table.rows.pop(name, None)
    del table.names[table.count :]
    for place in new.tolist():
        table.names.append(made.names[place])
        table.rows[made.names[place]] = len(table.names) - 1
    grown = replace(table, vectors=vectors, tokens=tokens, columns=columns, hidden=hidden)
    return grown, digests, {made.names[place] for place in new.tolist()}


def find_changed(
    table: Table, digests: Blocks, names: Sequence[str], given: U8
) -> NDArray[np.intp]:
    """The places of records [I] whose content is not the one their items have."""
    rows = np.array([table.places.get(name) for name in names], dtype=np.int64)
    return np.flatnonzero((digests[rows] != given).any(axis=1) | (rows == 0))


def put(
    column: Column, records: Sequence[Record], known: NDArray[np.int64], new: NDArray[np.intp]
) -> Column:
    """A column with the values of records, by the rows they have or 0."""
    values = column.read(records)
    old = np.flatnonzero(known)
    changed = column.values.replaced(known[old], values[old])
    return with_values(column, changed.extended(values[new]))


def change_columns(table: Table, names: Sequence[str], records: Sequence[Record]) -> Table:
    """The table with those kept attributes that records name."""
    columns = dict(table.columns)
    for name, column in table.columns.items():
        told = [place for place, record in enumerate(records) if name in record]
        rows = np.array([table.places[names[place]] for place in told], dtype=np.int64)
        values = column.read([records[place] for place in told])
        columns[name] = with_values(column, column.values.replaced(rows, values))
    return replace(table, columns=columns)


def hide(
    table: Table, rows: NDArray[np.int64], *, show: bool = False
) -> tuple[NDArray[np.integer], ...]:
    """The hidden rows of a table and these besides, or without these. What was made up for
    histories stays hidden until its content is added."""
    hidden = list(table.hidden)
    for number, places in grouped(rows):
        found = rows[places] - number * ROWS
        join = np.setdiff1d if show else np.union1d
        hidden[number] = join(hidden[number], found)
    return tuple(hidden)


def rows_of(tokens: TokenRows, chosen: NDArray[np.intp]) -> TokenRows:
    return TokenRows(tokens=tokens.tokens[chosen], lengths=tokens.lengths[chosen])
