"""Histories of a log without any: the clicks of a user strictly before each impression.

Each step makes one table out of those before it; its comment says what a row is. An impression is
what the log shows together or, where it does not say, what one user did at one time.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from legoc.data.staging.source import Feedback
from legoc.data.staging.unique_names import name_units


if TYPE_CHECKING:
    import duckdb


# One interaction, as in feedback, with the name of its impression within user and part: `unit`.
ACTS = """
CREATE TABLE acts AS
SELECT *, coalesce(impression, epoch_us(time)::VARCHAR) AS unit FROM feedback
"""

# One part that has impressions; `sight` names the set of parts its histories are made of.
SIGHTS = "CREATE TABLE sights (part VARCHAR, sight VARCHAR)"

# One part of such a set.
SEEN_PARTS = "CREATE TABLE seen_parts (sight VARCHAR, part VARCHAR)"

# One click that histories of a sight may hold: `nth` numbers those of a user from the oldest.
PAST = """
CREATE TABLE past AS
SELECT sight, user_id, item_id, time, part,
       row_number() OVER (PARTITION BY sight, user_id ORDER BY time, position) AS nth
FROM feedback JOIN seen_parts USING (part) WHERE label > 0
"""

# One impression, numbered by user and time. `time`: its own moment, that of its first row; `turn`:
# the place of that row in the log; `offered`, `likes`: its rows and its clicks; `seen`: how many
# clicks of the past are strictly before its moment. What happened at that very time is not known to
# be earlier, nor are the later clicks of an impression that began before.
MOMENTS = """
CREATE TABLE moments AS
SELECT own.*, coalesce(before.nth, 0) AS seen
FROM (
    SELECT row_number() OVER (ORDER BY user_id, min(time), unit, part) - 1 AS moment,
           user_id, part, sight, unit, min(time) AS time, min(position) AS turn,
           count(*) AS offered, count(*) FILTER (WHERE label > 0) AS likes
    FROM acts JOIN sights USING (part) GROUP BY user_id, part, sight, unit
) AS own
ASOF LEFT JOIN (
    SELECT sight, user_id, time, max(nth) AS nth FROM past GROUP BY sight, user_id, time
) AS before
ON own.sight = before.sight AND own.user_id = before.user_id AND own.time > before.time
"""

# One history: the last clicks of a user among the first `seen` of a sight, oldest first.
HISTORIES = """
CREATE TABLE histories AS
SELECT row_number() OVER (ORDER BY user_id, seen, sight) - 1 AS history, user_id, sight, seen,
       coalesce(clicks, []::VARCHAR[]) AS clicks
FROM (SELECT DISTINCT user_id, sight, seen FROM moments) AS wanted
LEFT JOIN (
    SELECT sight, user_id, nth AS seen,
           list(item_id) OVER (PARTITION BY sight, user_id ORDER BY nth
                               ROWS BETWEEN {before} PRECEDING AND CURRENT ROW) AS clicks
    FROM past
) AS ended USING (user_id, sight, seen)
"""

# One impression with the history before it.
IMPRESSIONS = """
CREATE TABLE impressions AS
SELECT moment AS position, {name} AS impression_id, part, history, time, turn
FROM moments JOIN histories USING (user_id, sight, seen)
"""

# The user and the how-manieth moment: unique whatever signs an id holds.
NUMBERED = "user_id || '/' || row_number() OVER (PARTITION BY user_id ORDER BY moment)"

# One candidate of an impression, in the order of the log.
ROWS = """
CREATE TABLE rows AS
SELECT moment AS position, row_number() OVER (PARTITION BY moment ORDER BY position) AS place,
       item_id, label::FLOAT AS label
FROM acts JOIN moments USING (user_id, part, unit)
"""

# One impression with its split. Test is the last click of a user with all non-clicks since the
# click before, valid the click before with the non-clicks that led to it.
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


def derive_histories(
    connection: "duckdb.DuckDBPyConnection",
    feedback: Feedback,
    views: Mapping[str, tuple[str, ...]],
    history: int,
) -> None:
    """Make histories, impressions and rows out of feedback, and on the way acts, past and moments.

    views: for each part that has impressions, the parts its histories are made of; without any,
    every part knows all clicks before. history: clicks kept of each.
    """
    list_sights(connection, views)
    for step in (ACTS, PAST, MOMENTS, HISTORIES.format(before=history - 1)):
        connection.execute(step)
    name = name_units(connection, "moments", "moment") if feedback.impressions else NUMBERED
    connection.execute(IMPRESSIONS.format(name=name))
    connection.execute(ROWS)


def list_sights(
    connection: "duckdb.DuckDBPyConnection", views: Mapping[str, tuple[str, ...]]
) -> None:
    """Make sights and seen_parts."""
    connection.execute(SIGHTS)
    connection.execute(SEEN_PARTS)
    if not views:
        parts = connection.execute("SELECT DISTINCT part FROM feedback ORDER BY part").fetchall()
        views = {part: tuple(known for (known,) in parts) for (part,) in parts}
    # Parts with the same view share its clicks.
    names = {parts: " ".join(parts) for parts in views.values()}
    for part, parts in views.items():
        connection.execute("INSERT INTO sights VALUES ($1, $2)", [part, names[parts]])
    for parts, name in names.items():
        for part in parts:
            connection.execute("INSERT INTO seen_parts VALUES ($1, $2)", [name, part])
