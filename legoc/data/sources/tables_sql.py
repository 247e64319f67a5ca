"""From one's own staged tables to relations, in DuckDB; the losses are read off on the way."""

from typing import TYPE_CHECKING

from legoc.data.sources.tables_layout import Layout
from legoc.data.staging.graded import build_items
from legoc.data.staging.losses import count_losses, count_rule
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Ratings
from legoc.data.staging.unique_names import name_units


if TYPE_CHECKING:
    import duckdb


FAULTS = (
    ("user", "interaction without a user", "item_id"),
    ("zeros", "interaction with an unknown item, known with other leading zeros", "item_id"),
    ("point", "interaction with an unknown item, known without its `.0`", "item_id"),
    ("item", "interaction with an unknown item", "item_id"),
    ("label", "interaction without a label that can be read", "said"),
    ("part", "interaction of an unknown part", "part"),
    ("time", "interaction whose time cannot be read", "said"),
    ("impression", "interaction without an impression", "item_id"),
    ("history", "interaction of an unknown history", "history_key"),
)

# What was shown and then clicked may be listed twice.
CLICKED_TOO = """
UPDATE raw SET fault = 'clicked' WHERE fault IS NULL AND grade = 0 AND EXISTS (
    SELECT 1 FROM raw AS hit
    WHERE hit.fault IS NULL AND hit.grade > 0 AND hit.known_key = raw.known_key
      AND hit.part = raw.part AND hit.item_id = raw.item_id
      AND coalesce(hit.impression, epoch_us(hit.moment)::VARCHAR)
          = coalesce(raw.impression, epoch_us(raw.moment)::VARCHAR)
)
"""

# The first record of a key is its history.
OWN = """
CREATE TABLE own AS
SELECT row_number() OVER (ORDER BY position) - 1 AS history, key, user_id, clicks, file, line
FROM (
    SELECT *, row_number() OVER (PARTITION BY key ORDER BY position) AS n FROM {told}
) WHERE n = 1 AND key <> '' AND user_id <> ''
"""

# A user without a record has clicked nothing yet.
NEWCOMERS = """
INSERT INTO own
SELECT (SELECT coalesce(max(history), -1) FROM own)
           + row_number() OVER (ORDER BY min(position)), user_id, user_id, [], '', 0
FROM {log} AS l WHERE user_id <> '' AND user_id NOT IN (SELECT key FROM own) GROUP BY user_id
"""

CLICKED = """
CREATE TABLE clicked AS
SELECT history, file, line, place, item_id, item_id IN (SELECT item_id FROM items) AS known
FROM (
    SELECT history, file, line, unnest(clicks) AS item_id,
           generate_subscripts(clicks, 1) AS place FROM own
)
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT own.history, user_id, coalesce(kept.clicks, []::VARCHAR[]) AS clicks
FROM own LEFT JOIN (
    SELECT history, list(item_id ORDER BY place) AS clicks
    FROM clicked WHERE known GROUP BY history
) AS kept ON own.history = kept.history
"""

# Without impressions, what happens to one history at one time is one.
UNITED = """
CREATE TABLE united AS
SELECT raw.*, own.history, own.user_id AS owner,
       coalesce(impression, own.key || '/' || epoch_us(moment)) AS unit
FROM raw JOIN own ON own.key = raw.known_key WHERE fault IS NULL
"""

MOMENTS = """
CREATE TABLE moments AS
SELECT row_number() OVER (ORDER BY min(position)) - 1 AS position, part, history,
       min(moment) AS time, unit
FROM united GROUP BY unit, part, history
"""

IMPRESSIONS = "CREATE TABLE impressions AS SELECT *, {name} AS impression_id FROM moments"

ROWS = """
CREATE TABLE rows AS
SELECT i.position, row_number() OVER (PARTITION BY i.position ORDER BY u.position) AS place,
       item_id, grade::FLOAT AS label
FROM united AS u JOIN impressions AS i USING (unit, part, history)
"""

TOUCHED = """
CREATE TABLE feedback AS
SELECT owner AS user_id, item_id FROM united
UNION ALL SELECT user_id, unnest(clicks) FROM histories
"""


def build_feedback(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, items: str, log: str
) -> tuple[Drop, ...]:
    """Make items and feedback: histories are made when the split is known."""
    drops = build_items(connection, items, tuple(layout.items))
    judge(connection, layout, log, "user_id")
    connection.execute(
        """
        CREATE TABLE feedback AS
        SELECT position, part, user_id, item_id, grade::FLOAT AS label, moment AS time, impression
        FROM raw WHERE fault IS NULL
        """
    )
    return drops + count_faults(connection, layout)


def build_told(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, items: str, log: str, told: str
) -> tuple[Drop, ...]:
    """Make items, histories, impressions and rows out of tables that have histories."""
    drops = build_items(connection, items, tuple(layout.items))
    connection.execute(OWN.format(told=told))
    if layout.meant.history is None:
        connection.execute(NEWCOMERS.format(log=log))
    judge(connection, layout, log, "user_id" if layout.meant.history is None else "history_key")
    for statement in (CLICKED, HISTORIES, UNITED, MOMENTS):
        connection.execute(statement)
    name = name_units(connection, "moments", "position")
    for statement in (IMPRESSIONS.format(name=name), ROWS, TOUCHED):
        connection.execute(statement)
    return (
        drops
        + count_faults(connection, layout)
        + count_losses(
            connection, "history again", "first record kept",
            f"SELECT file, line, position, key AS value FROM (SELECT *, row_number() OVER "
            f"(PARTITION BY key ORDER BY position) AS n FROM {told}) WHERE n > 1 AND key <> ''",
        )
        + count_losses(
            connection, "history without a name or a user", "dropped",
            f"SELECT file, line, position, key AS value FROM {told} "
            "WHERE key = '' OR user_id = ''",
        )
        + count_losses(
            connection, "unknown item in a history", "dropped from that history",
            "SELECT file, line, history * 1000000 + place AS position, item_id AS value "
            "FROM clicked WHERE NOT known",
        )
    )  # fmt: skip


def measure_ratings(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, log: str
) -> Ratings | None:
    """The ratings that make the labels; None where something else does."""
    if layout.meant.rating is None or layout.meant.label is not None:
        return None
    ((total, low, high, unrated, least),) = connection.execute(
        "SELECT count(*), min(rating), max(rating), count(*) FILTER (WHERE rating <= 0), "
        f"min(rating) FILTER (WHERE rating > 0) FROM {log} WHERE NOT isnan(rating)"
    ).fetchall()
    if not total:
        return None
    return Ratings(
        column=layout.meant.rating, neutral=layout.neutral, total=total, low=low, high=high,
        unrated=unrated, least=least,
    )  # fmt: skip


def judge(connection: "duckdb.DuckDBPyConnection", layout: Layout, log: str, key: str) -> None:
    """Make raw: the interactions with their time and what is wrong with each."""
    unknown = "WHEN history_key NOT IN (SELECT key FROM own) THEN 'history'"
    connection.execute(
        f"""
        CREATE TABLE raw AS
        SELECT * REPLACE (
            CASE WHEN {key} = '' AND '{key}' = 'user_id' THEN 'user'
                 {unknown if key == "history_key" else ""}
                 WHEN item_id NOT IN (SELECT item_id FROM items) THEN
                     CASE WHEN item_id <> '' AND ltrim(item_id, '0') IN
                          (SELECT ltrim(item_id, '0') FROM items) THEN 'zeros'
                     WHEN regexp_matches(item_id, '^[0-9]+\\.0+$') AND
                          regexp_replace(item_id, '\\.0+$', '') IN (SELECT item_id FROM items)
                     THEN 'point' ELSE 'item' END
                 WHEN fault IS NOT NULL THEN fault
                 WHEN time IS NULL THEN 'time'
                 WHEN impression = '' THEN 'impression' END AS fault
        ), make_timestamp(time::BIGINT) AS moment, {key} AS known_key
        FROM {log}
        """
    )
    if layout.meant.label is not None or layout.meant.rating is not None:
        connection.execute(CLICKED_TOO)


def count_faults(connection: "duckdb.DuckDBPyConnection", layout: Layout) -> tuple[Drop, ...]:
    """One Drop per kind of fault; ratings in the middle are left out by a rule."""
    found: tuple[Drop, ...] = ()
    for fault, reason, value in FAULTS:
        found += count_losses(
            connection, reason, "row dropped",
            f"SELECT file, line, position, {value} AS value FROM raw WHERE fault = '{fault}'",
        )  # fmt: skip
    found += count_losses(
        connection, "non-click on an item clicked in the same impression",
        "row dropped, the click counts",
        "SELECT file, line, position, item_id AS value FROM raw WHERE fault = 'clicked'",
    )  # fmt: skip
    return found + count_rule(
        connection, f"rating of {layout.neutral:g}, neither liked nor disliked", "row dropped",
        "SELECT count(*) FROM raw WHERE fault = 'neutral'",
    )  # fmt: skip
