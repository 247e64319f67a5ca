"""Items a user never touched, drawn uniformly by a hash of seed and place.

The hash makes a draw the same on every machine and under every version of DuckDB.
"""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import duckdb


# Candidates that are drawn come after those of the log: the first place of theirs.
DRAWN = 1_000_000_000

# A round draws a few more than are missing; whoever is short after the last has touched nearly
# every item, and what is left is listed in full.
ROUNDS = 6

TOUCHED = """
CREATE TABLE touched AS SELECT DISTINCT user_id, item_id FROM feedback
"""

# Items nobody ever touched would be told apart without knowing the user.
POOL = """
CREATE TABLE pool AS
SELECT row_number() OVER (ORDER BY item_id) - 1 AS number, item_id
FROM (SELECT DISTINCT item_id FROM feedback)
"""

MISSING = """
CREATE OR REPLACE TABLE missing AS
SELECT key, user_id, amount - coalesce(n, 0) AS amount, coalesce(n, 0) AS n
FROM wanted LEFT JOIN (SELECT key, count(*) AS n FROM drawn GROUP BY key) USING (key)
WHERE coalesce(n, 0) < amount
"""

ROUND = """
INSERT INTO drawn
SELECT key, n + rank AS place, item_id FROM (
    SELECT key, item_id, n, amount, row_number() OVER (PARTITION BY key ORDER BY try) AS rank
    FROM (
        SELECT key, user_id, any_value(n) AS n, any_value(amount) AS amount, item_id,
               min(try) AS try
        FROM (
            SELECT *, ('0x' || left(md5('{seed}/{round}/' || key || '/' || try), 15))::BIGINT
                      % (SELECT count(*) FROM pool) AS number
            FROM (SELECT *, unnest(range(amount + amount // 4 + 4)) AS try FROM missing)
        ) JOIN pool USING (number)
        GROUP BY key, user_id, item_id
    ) AS proposed
    ANTI JOIN touched USING (user_id, item_id)
    ANTI JOIN drawn USING (key, item_id)
) WHERE rank <= amount
"""

REST = """
INSERT INTO drawn
SELECT key, n + rank AS place, item_id FROM (
    SELECT key, item_id, n, amount,
           row_number() OVER (PARTITION BY key ORDER BY md5('{seed}/' || key || '/' || item_id))
               AS rank
    FROM (SELECT missing.*, item_id FROM missing CROSS JOIN pool) AS proposed
    ANTI JOIN touched USING (user_id, item_id)
    ANTI JOIN drawn USING (key, item_id)
) WHERE rank <= amount
"""


def list_touched(connection: "duckdb.DuckDBPyConnection") -> None:
    """Note what every user touched, before a protocol leaves any of it out."""
    connection.execute(TOUCHED)
    connection.execute(POOL)


def draw_unseen(connection: "duckdb.DuckDBPyConnection", seed: int) -> int:
    """Make drawn(key, place, item_id) for wanted(key, user_id, amount): distinct items per key, of
    those in the log, that the user never touched. Returns how many could not be had."""
    connection.execute("CREATE TABLE drawn (key BIGINT, place BIGINT, item_id VARCHAR)")
    for turn in range(ROUNDS):
        connection.execute(MISSING)
        if not count_missing(connection):
            return 0
        connection.execute(ROUND.format(seed=seed, round=turn))
    connection.execute(MISSING)
    if count_missing(connection):
        connection.execute(REST.format(seed=seed))
        connection.execute(MISSING)
    return count_missing(connection)


def count_missing(connection: "duckdb.DuckDBPyConnection") -> int:
    ((found,),) = connection.execute("SELECT coalesce(sum(amount), 0) FROM missing").fetchall()
    return int(found)
