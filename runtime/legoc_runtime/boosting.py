"""What a request adds to the scores of some items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import RequestError
from legoc_runtime.ids import Id, as_id, shown
from legoc_runtime.table import Table, known_row


F32 = NDArray[np.float32]
NUMBERS = int | float | np.number
HELP = 'give finite numbers by id: {"N1": 0.5}'


@dataclass(frozen=True, kw_only=True)
class Boost:
    """Numbers [P] that are added to the scores of some rows [P], which ascend."""

    rows: NDArray[np.int64]
    numbers: F32

    def of(self, rows: NDArray[np.integer]) -> F32:
        """[I]: what is added to the scores of rows [I], 0 to most."""
        place = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[place] == rows, self.numbers[place], np.float32(0))


def as_boost(table: Table, given: Mapping[Id, float] | None) -> Boost | None:
    """Numbers by ids. RequestError for what is none, and for an id that is no item's."""
    if given is None:
        return None
    if not isinstance(cast(object, given), Mapping):
        raise RequestError(f"`boost` is {shown(given)}", HELP)
    found: dict[int, float] = {}
    for name, number in given.items():
        row = known_row(table, name)
        plain = isinstance(cast(object, number), NUMBERS) and not isinstance(number, bool)
        if not plain or not np.isfinite(number):
            raise RequestError(f"the boost of `{as_id(name)}` is {shown(number)}", HELP)
        found[row] = float(number)
    if not found:
        return None
    rows = sorted(found)
    return Boost(
        rows=np.array(rows, dtype=np.int64),
        numbers=np.array([found[row] for row in rows], dtype=np.float32),
    )
