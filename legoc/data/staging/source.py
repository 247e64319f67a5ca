"""What a source is, and the three relations it yields.

A source reads published files into a DuckDB connection; how rows are split and how tables are
written is the same for all sources (`tables.convert`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from legoc.data.staging.report import Drop
from legoc.progress import Progress
from legoc_runtime.moments import Unit


if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Published:
    """One part of the raw files, in the publisher's order. `labelled` is false for a part whose
    rows have no labels; those become `predict`, whatever the split. named: the name is that of a
    split, and the publisher means it."""

    name: str
    labelled: bool
    named: bool = False


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """How single interactions become histories and labelled rows (`feedback`).

    graded: there are negatives of its own, such as low ratings; else every interaction is a click.
    impressions: `impression` names what was shown together.
    told: the source has histories, impressions and rows of its own; feedback(user_id, item_id) then
        only says what each user has touched.
    views: where the publisher has parts, for each of them the parts whose clicks are its histories;
        parts that are no key only make histories. It holds under `publisher` alone.
    negatives, seed: non-clicks drawn for each click of valid and test.
    neutral: the rating that is neither, where ratings make the labels.
    last, unseen, rows, text: for the protocols: clicks set apart per user, items drawn per user
        where nothing is graded, rows of a label a user gives at most (none: the protocol's), and
        the attribute without which an item is left out.
    """

    graded: bool
    impressions: bool = False
    told: bool = False
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    negatives: int = 0
    seed: int = 2023
    neutral: float | None = None
    last: int = 2
    unseen: int = 2
    rows: int | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the protocols read of a log of impressions.

    parts: those RecBench reads. both: it leaves out impressions without a click or a non-click.
    rows: rows of a label a user gives at most, where not the protocol's. listed: the folder in
    which files of RecBench may lie that order users. raw: the training and the
    test part where Legommenders reads the published files itself.
    """

    parts: tuple[str, ...]
    both: bool = False
    rows: int | None = None
    listed: Path | None = None
    raw: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """The ratings of a column of one's own. unrated: those of 0 and less; least: the smallest above
    0; neutral: the one that is neither."""

    column: str
    neutral: float
    total: int
    low: float
    high: float
    unrated: int
    least: float | None


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What a source has put into the connection.

    items(position, item_id, <attributes>) and, if `users`, users(user_id, <attributes>). Then
    either histories(history, user_id, clicks list),
    impressions(position, impression_id, part, history, time) and
    rows(position, place, item_id, label); or, with `feedback`, single interactions
    feedback(position, part, user_id, item_id, label, time, impression): label 1, 0 or (in an
    unlabelled part) NULL, time never NULL, impression NULL where there are none. bench: for the
    protocols, where there are impressions. order: what the times are: those of the clicks, the
    place in the list of a user, or the place in the file. clock: as in Report. ratings: where a
    column of one's own makes the labels. published: whether there is published(item_id, time), a
    row an item at most: when it appeared. remembered: whether there is remembered(item_id, time),
    clicks of histories whose moment is known and that no row shows. notation: as in Report.
    """

    parts: tuple[Published, ...]
    drops: tuple[Drop, ...]
    notes: tuple[str, ...] = ()
    order: Literal["time", "list", "file"] = "time"
    clock: Unit | None = None
    feedback: Feedback | None = None
    bench: Bench | None = None
    ratings: Ratings | None = None
    users: bool = False
    published: bool = False
    remembered: bool = False
    notation: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


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
