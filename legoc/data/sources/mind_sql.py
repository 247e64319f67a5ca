"""From the staged lines of `news.tsv` and `behaviors.tsv` to relations, in DuckDB.

Each statement is one step; the losses are read off between the steps.
"""

from typing import TYPE_CHECKING

from legoc.data.staging.first_records import OTHER, POLICY, SAME, differ
from legoc.data.staging.report import Drop


if TYPE_CHECKING:
    import duckdb


ATTRIBUTES = ("title", "abstract", "category", "subcategory")
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
TIMED = """
CREATE VIEW timed AS
SELECT *, try_strptime(time, '%m/%d/%Y %I:%M:%S %p') AS moment FROM behaviors
"""

# Lines repeat the history of their user, so each text is taken apart once.
TOLD = """
CREATE TABLE told AS
SELECT row_number() OVER (ORDER BY min(position)) - 1 AS history, user_id, history AS text,
       min(position) AS position
FROM timed WHERE moment IS NOT NULL GROUP BY user_id, history
"""

STRANGE = """
CREATE TABLE strange AS
SELECT history, position, place, item_id
FROM (
    SELECT history, position, unnest(parts) AS item_id, generate_subscripts(parts, 1) AS place
    FROM (SELECT history, position, string_split(text, ' ') AS parts FROM told)
) ANTI JOIN items USING (item_id)
WHERE item_id <> ''
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT history, user_id,
       CASE WHEN unknown IS NULL THEN [name FOR name IN parts IF name <> '']
            ELSE [name FOR name IN parts IF name <> '' AND NOT list_contains(unknown, name)]
       END AS clicks
FROM (SELECT history, user_id, string_split(text, ' ') AS parts FROM told)
LEFT JOIN (
    SELECT history, list(DISTINCT item_id) AS unknown FROM strange GROUP BY history
) USING (history)
"""

# Only what occurs twice is numbered: a window over all lines would cost as much as all the rest.
REPEATED = """
CREATE TABLE repeated AS
SELECT position, row_number() OVER (PARTITION BY part, impression ORDER BY position) AS again
FROM behaviors WHERE (part, impression) IN (
    SELECT (part, impression) FROM behaviors GROUP BY part, impression HAVING count(*) > 1
)
"""

SHOWN = """
CREATE TABLE shown AS
SELECT timed.position, part, line, part || '/behaviors.tsv' AS file,
       part || '/' || impression || CASE WHEN again > 1 THEN '+' || again ELSE '' END
           AS impression_id,
       again, told.history, moment AS time
FROM timed
LEFT JOIN told ON timed.user_id = told.user_id AND timed.history = told.text
LEFT JOIN repeated ON timed.position = repeated.position
"""

IMPRESSIONS = """
CREATE VIEW impressions AS
SELECT position, impression_id, part, history, time FROM shown WHERE time IS NOT NULL
"""

# A part is unlabelled (the large test part) where not one candidate of it has a suffix.
LABELS = r"""
CREATE TABLE labels AS
SELECT part, bool_or(regexp_matches(candidates, '-[01]( |$)')) AS labelled
FROM behaviors GROUP BY part
"""

OFFERED = """
CREATE TABLE offered AS
SELECT position, place, item_id, label,
       CASE WHEN labelled AND label IS NULL THEN 'label'
            WHEN item_id NOT IN (SELECT item_id FROM items) THEN 'item' END AS fault
FROM (
    SELECT position, place, labelled,
           CASE WHEN NOT labelled THEN NULL WHEN ends_with(candidate, '-1') THEN 1::FLOAT
                WHEN ends_with(candidate, '-0') THEN 0::FLOAT END AS label,
           CASE WHEN label IS NULL THEN candidate ELSE left(candidate, -2) END AS item_id
    FROM (
        SELECT position, labelled, unnest(parts) AS candidate,
               generate_subscripts(parts, 1) AS place
        FROM (
            SELECT position, part IN (SELECT part FROM labels WHERE labelled) AS labelled,
                   string_split(candidates, ' ') AS parts
            FROM timed WHERE moment IS NOT NULL
        )
    )
    WHERE candidate <> ''
)
"""

ROWS = """
CREATE VIEW rows AS SELECT position, place, item_id, label FROM offered WHERE fault IS NULL
"""


def build(connection: "duckdb.DuckDBPyConnection") -> list[Drop]:
    """Make items, histories, impressions and rows out of the tables news and behaviors."""
    for statement in (
        ITEMS, TIMED, TOLD, STRANGE, HISTORIES, REPEATED, SHOWN, IMPRESSIONS, LABELS, OFFERED, ROWS,
    ):  # fmt: skip
        connection.execute(statement)
    news, behaviors = "news.tsv", "behaviors.tsv"
    # An article that another part lists again is the same article: only a repetition within one
    # file, or another text under the same id, is a loss.
    again = f"""
        SELECT news.part, line, item_id AS value, news.position, 0 AS slot,
               {differ(ATTRIBUTES, "news", "items")} AS differs, n
        FROM (
            SELECT *, row_number() OVER (PARTITION BY part, item_id ORDER BY position) AS n
            FROM news
        ) AS news JOIN items USING (item_id)
    """
    losses = (
        ("item without an id", "dropped", news,
         "SELECT part, line, title AS value, position, 0 AS slot FROM news "
         "WHERE item_id = ''"),
        (f"item id {SAME}", POLICY, news, f"SELECT * FROM ({again}) WHERE n > 1 AND NOT differs"),
        (f"item id {OTHER}", POLICY, news, f"SELECT * FROM ({again}) WHERE differs"),
        ("impression whose time cannot be read", "dropped", behaviors,
         "SELECT part, line, impression_id AS value, position, 0 AS slot FROM shown "
         "WHERE time IS NULL"),
        ("impression id again in the same part", "kept under an id of its own", behaviors,
         "SELECT part, line, impression_id AS value, position, 0 AS slot FROM shown "
         "WHERE again > 1"),
        ("unknown item in a history", "dropped from that history", behaviors,
         "SELECT part, line, item_id AS value, strange.history AS position, place AS slot "
         "FROM strange JOIN shown USING (position)"),
        ("candidate without a label", "row dropped", behaviors,
         "SELECT part, line, item_id AS value, position, place AS slot "
         "FROM offered JOIN shown USING (position) WHERE fault = 'label'"),
        ("unknown item as a candidate", "row dropped", behaviors,
         "SELECT part, line, item_id AS value, position, place AS slot "
         "FROM offered JOIN shown USING (position) WHERE fault = 'item'"),
    )  # fmt: skip
    found: list[Drop] = []
    for reason, policy, file, query in losses:
        found += count_losses(connection, reason, policy, file, query)
    for table in ("told", "strange", "repeated"):
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
