"""Where a log is cut by time: at whole moments, or inside one where a part would be empty else.

Times of days or months are shared by many impressions. A cut at a whole moment keeps what happened
together in one part; where the moment is so long that a part would get nothing, the order of the
log divides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The first impression of a part: its time, and its turn among those of that time."""

    time: datetime
    turn: int

    @property
    def at_moment(self) -> str:
        """An SQL condition: from this moment on."""
        return f"time >= {self.literal}"

    @property
    def inside(self) -> str:
        """An SQL condition: from this very impression on."""
        return f"(time > {self.literal} OR time = {self.literal} AND turn >= {self.turn})"

    @property
    def literal(self) -> str:
        return f"TIMESTAMP '{self.time.isoformat(sep=' ')}'"


def cut_times(
    connection: "duckdb.DuckDBPyConnection", shares: Mapping[str, float], condition: str = "true"
) -> tuple[dict[str, str], tuple[str, ...]]:
    """An SQL condition per part, the last part first, of the impressions from its cut on; and what
    a reader should know.

    Reads labelled(position, time, turn, ...). shares: of the impressions, by part, the last part
    first; each above 0. E0623 where all is one moment, which is no log to divide.
    """
    found = connection.execute(
        f"SELECT count(*), min(time), max(time) FROM labelled WHERE {condition}"
    ).fetchone()
    total, earliest, latest = found or (0, None, None)
    if not total or not shares:
        return dict.fromkeys(shares, "false"), ()
    if earliest == latest:
        raise fail(
            "E0623",
            f"all rows to divide have the time {earliest}, and a split by time would leave none "
            "for training",
            "write `split = user`, which needs no order, or give finer times",
        )
    cuts: dict[str, Cut] = {}
    left, place = 1.0, total
    for name, share in shares.items():
        left -= share
        # 0.9 * n in floating point may fall a hair below the whole number it means. A part has an
        # impression at least, and training comes first.
        place = min(max(min(int(left * total + 1e-9), place - 1), 1), total - 1)
        cuts[name] = find_cut(connection, place, condition)
    conditions: dict[str, str] = {}
    divided: list[datetime] = []
    before: Cut | None = None
    for name, cut in reversed(cuts.items()):
        # The part before has nothing where it starts at the same moment, and neither has training
        # where it would end with the first.
        empty = cut.time == (earliest if before is None else before.time)
        conditions[name] = cut.inside if empty else cut.at_moment
        if empty:
            divided.append(cut.time)
        before = cut
    notes = tuple(
        f"{count_at(connection, moment, condition):,} impressions have the time {moment}, where a "
        "part would be empty: the order of the log divides them"
        for moment in dict.fromkeys(divided)
    )
    return {name: conditions[name] for name in shares}, notes


def find_cut(connection: "duckdb.DuckDBPyConnection", place: int, condition: str) -> Cut:
    """The impression at a place of the log in its order in time."""
    found = connection.execute(
        f"SELECT time, turn FROM labelled WHERE {condition} ORDER BY time, turn "
        f"LIMIT 1 OFFSET {place}"
    ).fetchone()
    if found is None:
        raise IndexError(place)
    return Cut(time=found[0], turn=found[1])


def count_at(connection: "duckdb.DuckDBPyConnection", moment: datetime, condition: str) -> int:
    found = connection.execute(
        f"SELECT count(*) FROM labelled WHERE {condition} AND time = $1", [moment]
    ).fetchone()
    return int(found[0]) if found else 0
