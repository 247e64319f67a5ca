"""What a source is, and the three relations it yields.

A source reads published files into a DuckDB connection; how rows are split and how tables are
written is the same for all sources (`tables.convert`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from legoc.data.report import Drop
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Published:
    """One part of the raw files, in the publisher's order. `labelled` is false for a part whose
    rows have no labels; those become `predict`, whatever the split."""

    name: str
    labelled: bool


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What a source has put into the connection, besides the tables.

    items(position, item_id, <attributes>), histories(history, user_id, clicks list),
    impressions(position, impression_id, part, history, time),
    rows(position, place, item_id, label).
    """

    parts: tuple[Published, ...]
    drops: tuple[Drop, ...]
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A data set. The class carries a declaration of role `source` and takes its `Config`."""

    config: Any

    def files(self) -> Sequence[Path]:
        """The raw files, in a fixed order. A missing one is an error of the user (E0620)."""
        ...

    def identity(self) -> dict[str, Any]:
        """The settings that change the tables; folders are left out, their content is hashed."""
        ...

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        """Read the raw files into relations of the connection; `staging` is for spilling."""
        ...
