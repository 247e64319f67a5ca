"""Single interactions (ratings, purchases, clicks) as histories and labelled rows.

A data set without impressions gives a source nothing but who did what and when. What is a history
and what a row then depends on the protocol, so it is made here, when the split is known. General
splits take each moment of a user as one impression whose history is the clicks strictly before it;
`recbench` and `legommenders` have rules of their own (`protocols`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from legoc.data.splitting.protocols import PROTOCOLS, arrange_protocol
from legoc.data.splitting.protocols_told import arrange_told
from legoc.data.splitting.splits import split_impressions
from legoc.data.splitting.unseen import draw_unseen, list_touched
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


if TYPE_CHECKING:
    import duckdb


# Clicks kept of each history, unless a spec reads more.
HISTORY = 100

# One row per click, with its place among the clicks of its user.
LIKED = """
CREATE TABLE liked AS
SELECT user_id, item_id, time, part,
       row_number() OVER (PARTITION BY user_id ORDER BY time, position) AS nth
FROM feedback WHERE label > 0 {remembered}
"""

# A moment is what one user did at one time, or one impression where the log has them. `seen` are
# the clicks strictly before: what happened at the same time is not known to be earlier. Where the
# publisher has parts, only the clicks of those that a part may know are counted.
MOMENTS = """
CREATE TABLE moments AS
SELECT row_number() OVER (ORDER BY user_id, time, unit, part) - 1 AS moment, user_id, part, unit,
       time, likes,
       coalesce(sum(likes) OVER (PARTITION BY user_id ORDER BY time), 0)
           - sum(likes) OVER (PARTITION BY user_id, time) AS seen
FROM (
    SELECT user_id, part, unit, min(time) AS time,
           count(*) FILTER (WHERE label > 0) AS likes
    FROM units GROUP BY user_id, part, unit
)
"""

KNOWN = """
CREATE OR REPLACE TABLE moments AS
SELECT moments.* EXCLUDE (seen), coalesce(known.seen, 0) AS seen FROM moments LEFT JOIN (
    SELECT moment, count(*) AS seen
    FROM moments JOIN views USING (part) JOIN liked USING (user_id)
    WHERE liked.part = views.known AND liked.time < moments.time GROUP BY moment
) AS known USING (moment)
WHERE part IN (SELECT part FROM views)
"""

UNITS = """
CREATE TABLE units AS
SELECT *, coalesce(impression, epoch_us(time)::VARCHAR) AS unit FROM feedback
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT row_number() OVER (ORDER BY user_id, seen) - 1 AS history, user_id, seen,
       coalesce(clicks, []::VARCHAR[]) AS clicks
FROM (SELECT DISTINCT user_id, seen FROM moments) AS wanted
LEFT JOIN (
    SELECT user_id, nth AS seen,
           list(item_id) OVER (PARTITION BY user_id ORDER BY nth
                               ROWS BETWEEN {before} PRECEDING AND CURRENT ROW) AS clicks
    FROM liked
) AS known USING (user_id, seen)
"""

IMPRESSIONS = """
CREATE TABLE impressions AS
SELECT moment AS position, {name} AS impression_id, part, history, time
FROM moments JOIN histories USING (user_id, seen)
"""

# The user and the how-manieth moment: unique whatever signs an id holds.
NUMBERED = "user_id || '/' || row_number() OVER (PARTITION BY user_id ORDER BY moment)"
NAMED = """unit || CASE WHEN count(*) OVER (PARTITION BY unit) > 1
           THEN '/' || row_number() OVER (PARTITION BY unit ORDER BY moment) ELSE '' END"""

ROWS = """
CREATE TABLE rows AS
SELECT moment AS position, row_number() OVER (PARTITION BY moment ORDER BY position) AS place,
       item_id, label::FLOAT AS label
FROM units JOIN moments USING (user_id, part, unit)
"""

# Test is the last click of a user with all non-clicks since the click before, valid the click
# before with the non-clicks that led to it.
LEFT_OUT = """
CREATE TABLE assigned AS
SELECT moment AS position,
       CASE WHEN total >= 3 AND later <= 1 THEN 'test'
            WHEN total >= 3 AND later <= 2 THEN 'valid' ELSE 'train' END AS split
FROM (
    SELECT moment, count(*) FILTER (WHERE likes > 0) OVER (PARTITION BY user_id) AS total,
           count(*) FILTER (WHERE likes > 0) OVER (PARTITION BY user_id ORDER BY moment DESC)
               AS later
    FROM moments
)
"""


def arrange(
    connection: "duckdb.DuckDBPyConnection", split: Call, extracted: Extracted, history: int
) -> tuple[tuple[str, ...], tuple[Drop, ...]]:
    """Make histories, impressions, rows and assigned out of items and feedback; what a reader
    should know, and what the protocol left out.

    history: clicks kept of each.
    """
    feedback = extracted.feedback
    if split.op in PROTOCOLS and extracted.bench is not None:
        return arrange_told(connection, split, extracted.bench)
    if split.op in PROTOCOLS and (feedback is None or feedback.told):
        raise fail(
            "E0623",
            f"`{split.op}` makes histories of single interactions, and this data set has its own",
            "write `split = time`, or leave the table `histories` out",
        )
    if feedback is None or feedback.told:
        notes = split_impressions(connection, split, extracted.parts)
        if feedback is not None and feedback.negatives:
            notes += (add_negatives(connection, feedback),)
        return notes, ()
    connection.execute(UNITS)
    if split.op in PROTOCOLS:
        return arrange_protocol(connection, split, feedback)
    named = NAMED if feedback.impressions else NUMBERED
    views = feedback.views if split.op == "publisher" else {}
    remember = [LIKED.format(remembered=""), MOMENTS]
    if views:
        list_views(connection, views)
        remember = [
            LIKED.format(remembered="AND part IN (SELECT known FROM views)"), MOMENTS, KNOWN,
        ]  # fmt: skip
    for statement in (
        *remember, HISTORIES.format(before=history - 1), IMPRESSIONS.format(name=named), ROWS,
    ):  # fmt: skip
        connection.execute(statement)
    if split.op == "leave_one_out":
        connection.execute(LEFT_OUT)
        notes = (
            "leave_one_out leaks the future across users; non-clicks go with the click they "
            "stand before or after",
        )
    else:
        notes = split_impressions(connection, split, extracted.parts)
    if feedback.negatives:
        notes += (add_negatives(connection, feedback),)
    return notes, ()


def list_views(
    connection: "duckdb.DuckDBPyConnection", views: Mapping[str, tuple[str, ...]]
) -> None:
    """views(part, known): the parts whose clicks may stand in the histories of a part."""
    connection.execute("CREATE TABLE views (part VARCHAR, known VARCHAR)")
    pairs = [(part, known) for part, parts in views.items() for known in parts]
    connection.executemany("INSERT INTO views VALUES ($1, $2)", pairs)


def add_negatives(connection: "duckdb.DuckDBPyConnection", feedback: Feedback) -> str:
    """Give every click of validation and test its non-clicks, drawn from what the user never
    touched."""
    list_touched(connection)
    connection.execute(
        f"""
        CREATE TABLE wanted AS
        SELECT position AS key, user_id, count(*) * {feedback.negatives} AS amount
        FROM rows JOIN assigned USING (position) JOIN impressions USING (position)
        JOIN histories USING (history)
        WHERE split IN ('valid', 'test') AND label > 0 GROUP BY position, user_id
        """
    )
    missing = draw_unseen(connection, feedback.seed)
    connection.execute("INSERT INTO rows SELECT key, 1000000000 + place, item_id, 0 FROM drawn")
    short = f"; {missing:,} fewer where a user knows nearly every item" if missing else ""
    return (
        f"{feedback.negatives} non-clicks per click of valid and test are drawn uniformly from "
        f"items the user never touched (seed {feedback.seed}){short}"
    )
