"""The ids of a data set's items or users, by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Names:
    """`ids[row]` is the id of a row; row 0 is padding (or the unknown user) and has the id "" ."""

    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def places(self) -> dict[str, int]:
        found = {name: row for row, name in enumerate(self.ids)}
        found.pop("", None)
        return found

    def index(self, name: str) -> int:
        """The row of an id, 0 where nobody has it."""
        return self.places.get(name, 0)
