"""From the staged lines of `news.tsv` and `behaviors.tsv` to relations, in DuckDB.

Each statement is one step; the losses are read off between the steps.
"""

from typing import TYPE_CHECKING

from legoc.data.report import Drop


if TYPE_CHECKING:
    import duckdb


# How many places a loss is shown with.
EXAMPLES = 3

ITEMS = """
CREATE TABLE items AS
SELECT row_number() OVER (ORDER BY position) - 1 AS position, item_id,
       title, abstract, category, subcategory
FROM (
    SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY position) AS n FROM news
    WHERE item_id <> ''
) WHERE n = 1
"""

# MIND writes 11/9/2019 9:05:58 AM without zero padding.
SHOWN = """
CREATE TABLE shown AS
SELECT position, part, line, user_id, history, candidates,
       part || '/' || impression || CASE WHEN again > 1 THEN '+' || again ELSE '' END
           AS impression_id, again,
       try_strptime(time, '%m/%d/%Y %I:%M:%S %p') AS time
FROM (
    SELECT *, row_number() OVER (PARTITION BY part, impression ORDER BY position) AS again
    FROM behaviors
)
"""

TOLD = """
CREATE TABLE told AS
SELECT row_number() OVER (ORDER BY min(position)) - 1 AS history, user_id, history AS text,
       arg_min(part, position) AS part, arg_min(line, position) AS line
FROM shown WHERE time IS NOT NULL GROUP BY user_id, history
"""

CLICKED = """
CREATE TABLE clicked AS
SELECT history, part, line, place, item_id, item_id IN (SELECT item_id FROM items) AS known
FROM (
    SELECT history, part, line, unnest(parts) AS item_id, generate_subscripts(parts, 1) AS place
    FROM (SELECT history, part, line, string_split(text, ' ') AS parts FROM told)
) WHERE item_id <> ''
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT told.history, user_id, coalesce(clicks, []::VARCHAR[]) AS clicks
FROM told LEFT JOIN (
    SELECT history, list(item_id ORDER BY place) AS clicks
    FROM clicked WHERE known GROUP BY history
) kept ON told.history = kept.history
"""

IMPRESSIONS = """
CREATE TABLE impressions AS
SELECT shown.position, impression_id, shown.part, told.history, time
FROM shown JOIN told ON shown.user_id = told.user_id AND shown.history = told.text
WHERE time IS NOT NULL
"""

OFFERED = """
CREATE TABLE offered AS
SELECT position, part, line, place,
       CASE WHEN labelled THEN left(candidate, length(candidate) - 2) ELSE candidate END AS item_id,
       CASE WHEN NOT labelled THEN NULL WHEN right(candidate, 2) = '-1' THEN 1
            WHEN right(candidate, 2) = '-0' THEN 0 END AS label,
       labelled, candidate
FROM (
    SELECT position, part, line, unnest(parts) AS candidate, generate_subscripts(parts, 1) AS place
    FROM (
        SELECT position, part, line, string_split(candidates, ' ') AS parts
        FROM shown WHERE time IS NOT NULL
    )
) JOIN labels USING (part)
WHERE candidate <> ''
"""

# A part is unlabelled (the large test part) where not one candidate of it has a suffix.
LABELS = r"""
CREATE TABLE labels AS
SELECT part, bool_or(regexp_matches(candidates, '-[01]( |$)')) AS labelled
FROM behaviors GROUP BY part
"""

ROWS = """
CREATE TABLE rows AS
SELECT position, place, item_id, label::FLOAT AS label FROM offered
WHERE (label IS NOT NULL OR NOT labelled) AND item_id IN (SELECT item_id FROM items)
"""


def build(connection: "duckdb.DuckDBPyConnection") -> list[Drop]:
    """Make items, histories, impressions and rows out of the tables news and behaviors."""
    for statement in (ITEMS, LABELS, SHOWN, TOLD, CLICKED, HISTORIES, IMPRESSIONS, OFFERED, ROWS):
        connection.execute(statement)
    news, behaviors = "news.tsv", "behaviors.tsv"
    known = "item_id IN (SELECT item_id FROM items)"
    # An article that another part lists again is the same article: only a repetition within one
    # file, or another text under the same id, is a loss.
    again = """
        SELECT part, line, item_id AS value, position, 0 AS slot FROM (
            SELECT *, row_number() OVER (PARTITION BY part, item_id ORDER BY position) AS n
            FROM news WHERE item_id <> ''
        ) WHERE n > 1
    """
    differs = """
        SELECT news.part, line, item_id AS value, news.position, 0 AS slot
        FROM (
            SELECT *, row_number() OVER (PARTITION BY part, item_id ORDER BY position) AS n
            FROM news
        ) AS news JOIN items USING (item_id)
        WHERE n = 1 AND (news.title, news.abstract, news.category, news.subcategory)
            IS DISTINCT FROM (items.title, items.abstract, items.category, items.subcategory)
    """
    losses = (
        ("item without an id", "dropped", news,
         "SELECT part, line, title AS value, position, 0 AS slot FROM news "
         "WHERE item_id = ''"),
        ("item id again in the same file", "first record kept", news, again),
        ("item id with another text", "first record kept", news, differs),
        ("impression whose time cannot be read", "dropped", behaviors,
         "SELECT part, line, impression_id AS value, position, 0 AS slot FROM shown "
         "WHERE time IS NULL"),
        ("impression id again in the same part", "kept under an id of its own", behaviors,
         "SELECT part, line, impression_id AS value, position, 0 AS slot FROM shown "
         "WHERE again > 1"),
        ("unknown item in a history", "dropped from that history", behaviors,
         "SELECT part, line, item_id AS value, history AS position, place AS slot FROM clicked "
         "WHERE NOT known"),
        ("candidate without a label", "row dropped", behaviors,
         "SELECT part, line, candidate AS value, position, place AS slot FROM offered "
         "WHERE labelled AND label IS NULL"),
        ("unknown item as a candidate", "row dropped", behaviors,
         "SELECT part, line, item_id AS value, position, place AS slot FROM offered "
         f"WHERE (label IS NOT NULL OR NOT labelled) AND NOT {known}"),
    )  # fmt: skip
    found: list[Drop] = []
    for reason, policy, file, query in losses:
        found += count_losses(connection, reason, policy, file, query)
    for table in ("clicked", "offered", "shown", "told"):
        connection.execute(f"DROP TABLE {table}")
    return found


def count_losses(
    connection: "duckdb.DuckDBPyConnection", reason: str, policy: str, file: str, query: str
) -> list[Drop]:
    """One Drop per part that has rows of the query (part, line, value, position, slot)."""
    counted = connection.execute(
        f"SELECT part, count(*), list(place ORDER BY position, slot)[:{EXAMPLES}] FROM ("
        f"SELECT part, position, slot, part || '/{file}:' || line || ': ' || value AS place "
        f"FROM ({query})) GROUP BY part ORDER BY part"
    ).fetchall()
    return [
        Drop(reason=reason, policy=policy, part=part, count=count, examples=tuple(examples))
        for part, count, examples in counted
    ]
