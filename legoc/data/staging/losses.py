"""Counts bad rows, while files are read or in DuckDB: how many of each kind, and where the first
ones are."""

from collections import Counter
from typing import TYPE_CHECKING

from legoc.data.staging.report import Drop


if TYPE_CHECKING:
    import duckdb


# How many places a loss is shown with.
EXAMPLES = 3


class Losses:
    """Filled by a reader, row by row; `drops` is the result."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.places: dict[tuple[str, str, str], list[str]] = {}

    def add(self, reason: str, policy: str, part: str, place: str, count: int = 1) -> None:
        """One bad row, or `count` of them; `place` is such as `train/news.tsv:17: N999`."""
        key = (reason, policy, part)
        self.counts[key] += count
        shown = self.places.setdefault(key, [])
        if len(shown) < EXAMPLES:
            shown.append(place)

    def drops(self) -> tuple[Drop, ...]:
        """A value per reason and part, in the order in which they were first met."""
        return tuple(
            Drop(
                reason=reason, policy=policy, part=part, count=self.counts[reason, policy, part],
                examples=tuple(places),
            )
            for (reason, policy, part), places in self.places.items()
        )  # fmt: skip


def count_losses(
    connection: "duckdb.DuckDBPyConnection",
    reason: str,
    policy: str,
    query: str,
    part: str = "log",
) -> tuple[Drop, ...]:
    """A Drop for the rows of a query (file, line, position, value), with the first places."""
    ((count, places),) = connection.execute(
        f"SELECT count(*), min_by(place, position, {EXAMPLES}) FROM ("
        f"SELECT position, file || ':' || line || CASE WHEN coalesce(value, '') = '' THEN '' "
        f"ELSE ': ' || value END AS place FROM ({query}))"
    ).fetchall()
    if not count:
        return ()
    return (Drop(reason=reason, policy=policy, part=part, count=count, examples=tuple(places)),)


def count_rule(
    connection: "duckdb.DuckDBPyConnection", reason: str, policy: str, query: str
) -> tuple[Drop, ...]:
    """A Drop for rows that are right and left out by a rule."""
    ((count,),) = connection.execute(query).fetchall()
    return (Drop(reason=reason, policy=policy, part="log", count=count),) if count else ()
