"""From staged items and a staged log of clicks to the relations items and feedback, in DuckDB.

A click stream has no negatives of its own: every interaction is a click.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.data.staging.graded import build_items
from legoc.data.staging.losses import count_losses
from legoc.data.staging.report import Drop


if TYPE_CHECKING:
    import duckdb


# The place in a list, as microseconds.
SECOND = 1_000_000


def build_clicks(
    connection: "duckdb.DuckDBPyConnection",
    items: str,
    log: str,
    attributes: Sequence[str],
    *,
    part: str = "'log'",
    listed: bool = False,
) -> tuple[Drop, ...]:
    """Make items and feedback out of two tables of SQL, and count what is lost.

    items(position, file, line, item_id, <attributes>); log(position, file, line, user_id, item_id,
    grade, time in microseconds since 1970): a grade above 0 is a click, 0 a non-click, NULL a
    click too. part: the part a row is of, in SQL. listed: there are no times; the place of a click
    among those of its user that are kept stands for it.
    """
    drops = build_items(connection, items, attributes)
    time = "time::BIGINT"
    if listed:
        time = f"(row_number() OVER (PARTITION BY user_id ORDER BY position) - 1) * {SECOND}"
    connection.execute(
        f"""
        CREATE TABLE raw AS
        SELECT *, CASE WHEN coalesce(user_id, '') = '' THEN 'user'
                       WHEN item_id NOT IN (SELECT item_id FROM items) THEN 'item'
                       WHEN time IS NULL AND NOT {listed} THEN 'time' END AS fault
        FROM (SELECT * REPLACE (coalesce(item_id, '') AS item_id) FROM {log})
        """
    )
    connection.execute(
        f"""
        CREATE TABLE feedback AS
        SELECT position, {part} AS part, user_id, item_id,
               (coalesce(grade, 1) > 0)::FLOAT AS label, make_timestamp({time}) AS time,
               NULL::VARCHAR AS impression
        FROM raw WHERE fault IS NULL
        """
    )
    faults = (
        ("user", "click without a user", "item_id"),
        ("item", "click on an unknown item", "item_id"),
        ("time", "click whose time cannot be read", "user_id"),
    )
    for fault, reason, value in faults:
        drops += count_losses(
            connection, reason, "row dropped",
            f"SELECT file, line, position, {value} AS value FROM raw WHERE fault = '{fault}'",
        )  # fmt: skip
    connection.execute("DROP TABLE raw")
    return drops
