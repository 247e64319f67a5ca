"""From logs of impressions with histories of their own to the relations of a source, in DuckDB.

What was shown, clicked and read before is given by the publisher; here it is numbered, and what
names an unknown item is left out and counted.
"""

from typing import TYPE_CHECKING

from legoc.data.staging.losses import EXAMPLES
from legoc.data.staging.report import Drop


if TYPE_CHECKING:
    import duckdb


CLICKED = """
CREATE TABLE clicked AS
SELECT key, part, file, line, place, item_id, item_id IN (SELECT item_id FROM items) AS known
FROM (
    SELECT key, part, file, line, unnest(clicks) AS item_id,
           generate_subscripts(clicks, 1) AS place
    FROM told WHERE key IN (SELECT key FROM shown WHERE time IS NOT NULL)
)
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT told.key AS history, user_id, coalesce(kept.clicks, []::VARCHAR[]) AS clicks
FROM told LEFT JOIN (
    SELECT key, list(item_id ORDER BY place) AS clicks FROM clicked WHERE known GROUP BY key
) AS kept USING (key)
"""

# An id that looks numbered is numbered too: else `a+2` might be the second of two `a`.
IMPRESSIONS = """
CREATE TABLE impressions AS
SELECT position, part || '/' || impression
           || CASE WHEN again > 1 OR regexp_matches(impression, '[+][0-9]+$')
              THEN '+' || again ELSE '' END AS impression_id,
       part, key AS history, time
FROM (
    SELECT *, row_number() OVER (PARTITION BY part, impression ORDER BY position) AS again
    FROM shown WHERE time IS NOT NULL
)
"""

OFFERED = """
CREATE TABLE given AS
SELECT position, part, file, line, place, item_id, label,
       item_id IN (SELECT item_id FROM items) AS known
FROM (
    SELECT position, part, file, line, unnest(offered) AS item_id, unnest(labels) AS label,
           generate_subscripts(offered, 1) AS place
    FROM shown WHERE time IS NOT NULL
)
"""

ROWS = """
CREATE TABLE rows AS
SELECT position, place, item_id, label::FLOAT AS label FROM given WHERE known
"""

LOSSES = (
    ("impression whose time cannot be read", "dropped",
     "SELECT part, file, line, impression AS value, position, 0 AS slot FROM shown "
     "WHERE time IS NULL"),
    ("impression without candidates", "dropped",
     "SELECT part, file, line, impression AS value, position, 0 AS slot FROM shown "
     "WHERE time IS NOT NULL AND len(offered) = 0"),
    ("impression id again in the same part", "kept under an id of its own",
     "SELECT part, file, line, impression AS value, position, 0 AS slot FROM ("
     "SELECT *, row_number() OVER (PARTITION BY part, impression ORDER BY position) AS again "
     "FROM shown WHERE time IS NOT NULL) WHERE again > 1"),
    ("unknown item in a history", "dropped from that history",
     "SELECT part, file, line, item_id AS value, key AS position, place AS slot FROM clicked "
     "WHERE NOT known"),
    ("unknown item as a candidate", "row dropped",
     "SELECT part, file, line, item_id AS value, position, place AS slot FROM given "
     "WHERE NOT known"),
)  # fmt: skip


def build_impressions(connection: "duckdb.DuckDBPyConnection") -> tuple[Drop, ...]:
    """Make histories, impressions and rows, and count what is lost.

    Reads items(item_id, ...), told(key, user_id, clicks list, part, file, line) and
    shown(position, part, file, line, impression, key, time, offered list, labels list): labels 1,
    0 or (in an unlabelled part) NULL, one for each item that was offered.
    """
    for statement in (CLICKED, HISTORIES, IMPRESSIONS, OFFERED, ROWS):
        connection.execute(statement)
    found: list[Drop] = []
    for reason, policy, query in LOSSES:
        found += count_places(connection, reason, policy, query)
    for table in ("clicked", "given"):
        connection.execute(f"DROP TABLE {table}")
    return tuple(found)


def count_places(
    connection: "duckdb.DuckDBPyConnection", reason: str, policy: str, query: str
) -> list[Drop]:
    """A Drop per part that has rows of the query (part, file, line, value, position, slot)."""
    counted = connection.execute(
        f"SELECT part, count(*), list(place ORDER BY position, slot)[:{EXAMPLES}] FROM ("
        "SELECT part, position, slot, file || ':' || line || ': ' || value AS place "
        f"FROM ({query})) GROUP BY part ORDER BY part"
    ).fetchall()
    return [
        Drop(reason=reason, policy=policy, part=part, count=count, examples=tuple(examples))
        for part, count, examples in counted
    ]
