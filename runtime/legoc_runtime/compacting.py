"""An item table without the rows of what was removed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import Array, Blocks
from legoc_runtime.columns import with_values
from legoc_runtime.histories import TokenRows
from legoc_runtime.table import Table, make_table


def compacted(
    table: Table, digests: Blocks, kept: Mapping[str, Array] | None
) -> tuple[Table, Blocks, Mapping[str, Array] | None]:
    """A table, the digests of its rows and what counters know of them, all without the items that
    were removed. What was made up for histories stays. The table has no counters of its own."""
    rows = np.arange(table.count)
    real = ~table.removed_among(rows)
    real[0] = True
    if real.all():
        return table, digests, kept
    hidden = table.hidden_among(rows)[real]
    before = np.concatenate([[0], np.cumsum(real)])
    tokens = table.tokens
    made = make_table(
        [table.names[row] for row in np.flatnonzero(real).tolist()],
        chosen(table.vectors, real),
        tokens=None if tokens is None else TokenRows(
            tokens=chosen(tokens.tokens, real), lengths=chosen(tokens.lengths, real)
        ),
        generated=range(int(before[table.generated.start]), int(before[table.generated.stop])),
        hidden=np.flatnonzero(hidden),
        columns={
            name: with_values(column, Blocks.of(chosen(column.values, real)))
            for name, column in table.columns.items()
        },
    )  # fmt: skip
    known = None
    if kept is not None:
        known = {name: each if name == "last" else each[real] for name, each in kept.items()}
    return made, Blocks.of(chosen(digests, real)), known


def chosen(blocks: Blocks, real: NDArray[np.bool_]) -> Array:
    """The rows of an array in blocks that are to stay."""
    found: list[Array] = []
    start = 0
    for part in blocks.each():
        found.append(part[real[start : start + len(part)]])
        start += len(part)
    return np.concatenate(found)
