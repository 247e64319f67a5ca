"""From staged items and staged ratings to the relations items and feedback, in DuckDB.

The losses are read off on the way: each kind of bad row with its count and first places, each row a
rule leaves out with its count alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.staging.first_records import count_repeated, number_records, quote_name
from legoc.data.staging.losses import count_losses, count_rule
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.data.staging.staged import Staged


if TYPE_CHECKING:
    import duckdb


# Columns of a staged log: `time` in microseconds since 1970, NULL where it could not be read.
LOG: Mapping[str, str] = {
    "file": "text", "line": "integer", "user_id": "text", "item_id": "text", "grade": "number",
    "time": "integer",
}  # fmt: skip
PLACE: Mapping[str, str] = {"file": "text", "line": "integer", "item_id": "text"}


def stage_items(target: Path, attributes: Mapping[str, str]) -> Staged:
    """A file for items: add(file, line, item_id, <attributes>)."""
    return Staged(target, {**PLACE, **attributes})


def stage_users(target: Path, attributes: Mapping[str, str]) -> Staged:
    """A file for users: add(file, line, user_id, <attributes>)."""
    return Staged(target, {"file": "text", "line": "integer", "user_id": "text", **attributes})


def stage_log(target: Path) -> Staged:
    """A file for ratings: add(file, line, user_id, item_id, grade, time)."""
    return Staged(target, LOG)


def scan(path: Path) -> str:
    """A staged file as a table of SQL."""
    return "read_parquet('" + str(path).replace("'", "''") + "')"


def settings(config: Any) -> dict[str, Any]:
    """The settings of a source that change its tables: all but the folder."""
    return {name: value for name, value in vars(config).items() if name != "path"}


def graded(
    config: Any,
    drops: Sequence[Drop],
    *,
    text: str,
    rows: int | None = None,
    users: bool = False,
    notes: tuple[str, ...] = (),
    parts: Sequence[str] = ("log",),
    views: Mapping[str, tuple[str, ...]] | None = None,
) -> Extracted:
    """What a source with ratings has extracted. text: the attribute RecBench asks for; rows: those
    of a label it takes of a user, where not its usual ten; views: as in Feedback."""
    return Extracted(
        parts=tuple(Published(name=part, labelled=True) for part in parts),
        drops=tuple(drops),
        notes=notes,
        feedback=Feedback(
            graded=True,
            negatives=config.negatives,
            seed=config.seed,
            neutral=getattr(config, "neutral", None),
            text=text,
            rows=rows,
            views=views or {},
        ),
        users=users,
    )


def read_grade(value: object) -> float | None:
    """A rating as a number, None where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def build_graded(
    connection: "duckdb.DuckDBPyConnection",
    items: str,
    log: str,
    attributes: Sequence[str],
    *,
    neutral: float,
    part: str = "'log'",
) -> tuple[Drop, ...]:
    """Make items and feedback out of two tables of SQL, and count what is lost.

    items(position, file, line, item_id, <attributes>); log(position, file, line, user_id, item_id,
    grade, time). A grade above `neutral` is a click, one below is none, the very one is left out.
    part: the part a row is of, in SQL.
    """
    drops = build_items(connection, items, attributes)
    connection.execute(
        f"""
        CREATE TABLE raw AS
        SELECT *, CASE WHEN coalesce(user_id, '') = '' THEN 'user'
                       WHEN item_id NOT IN (SELECT item_id FROM items) THEN 'item'
                       WHEN grade IS NULL OR isnan(grade) THEN 'grade'
                       WHEN time IS NULL THEN 'time'
                       WHEN grade = {neutral} THEN 'neutral' END AS fault
        FROM (SELECT * REPLACE (coalesce(item_id, '') AS item_id) FROM {log})
        """
    )
    connection.execute(
        f"""
        CREATE TABLE feedback AS
        SELECT position, {part} AS part, user_id, item_id, (grade > {neutral})::FLOAT AS label,
               make_timestamp(time::BIGINT) AS time, NULL::VARCHAR AS impression
        FROM raw WHERE fault IS NULL
        """
    )
    faults = (
        ("user", "rating without a user", "item_id"),
        ("item", "rating of an unknown item", "item_id"),
        ("grade", "rating that is no number", "user_id"),
        ("time", "rating whose time cannot be read", "user_id"),
    )
    for fault, reason, value in faults:
        drops += count_losses(
            connection, reason, "row dropped",
            f"SELECT file, line, position, {value} AS value FROM raw WHERE fault = '{fault}'",
        )  # fmt: skip
    drops += count_rule(
        connection, f"rating of {neutral:g}, neither liked nor disliked", "row dropped",
        "SELECT count(*) FROM raw WHERE fault = 'neutral'",
    )  # fmt: skip
    connection.execute("DROP TABLE raw")
    return drops


def build_items(
    connection: "duckdb.DuckDBPyConnection", items: str, attributes: Sequence[str]
) -> tuple[Drop, ...]:
    """Make items: the first record of each id, in the order of the files."""
    number_records(connection, items, "item_id")
    chosen = "".join(f", {quote_name(name)}" for name in attributes)
    connection.execute(
        f"""
        CREATE TABLE items AS
        SELECT row_number() OVER (ORDER BY position) - 1 AS position, item_id{chosen}
        FROM listed WHERE nth = 1 AND coalesce(item_id, '') <> ''
        """
    )
    drops = count_repeated(connection, "item", "item_id", attributes)
    connection.execute("DROP TABLE listed")
    return drops
