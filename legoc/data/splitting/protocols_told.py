"""The protocols of RecBench and Legommenders for logs of impressions: one impression per user.

What was shown and clicked is given, and so is the history: a user's is the first that is not empty.
Labels are taken from all impressions of the user together.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.splitting.orders import find_order, order_users
from legoc.data.splitting.protocols import PARTS, PROTOCOLS, ROWS, Rules, fill_text
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Bench
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


if TYPE_CHECKING:
    import duckdb


# Every labelled row of the parts that are read, with its user.
SEEN = """
CREATE TABLE seen AS
SELECT rows.position, place, item_id, label, part, time, user_id
FROM rows JOIN impressions USING (position) JOIN histories USING (history)
WHERE part IN ({parts}) AND label IS NOT NULL {both}
"""
BOTH = """
AND position IN (
    SELECT position FROM rows GROUP BY position HAVING min(label) = 0 AND max(label) = 1
)
"""

# RecBench leaves out empty histories and then keeps the first of a user; Legommenders, on MIND as
# published, keeps the first and then leaves out users for whom it is empty.
FIRST = """
CREATE TABLE firsts AS
SELECT user_id, clicks FROM (
    SELECT user_id, clicks,
           row_number() OVER (PARTITION BY user_id ORDER BY impressions.position) AS n
    FROM impressions JOIN histories USING (history)
    WHERE part IN ({parts}) AND ({raw} OR len(clicks) > 0)
) WHERE n = 1 AND len(clicks) > 0
"""

# md5 is a shuffle that does not depend on any library's generator.
USERS = """
CREATE TABLE chosen AS
SELECT *, sum(given) OVER (ORDER BY number) - given AS before FROM (
    SELECT user_id, given, row_number() OVER (ORDER BY {by}) AS number FROM (
        SELECT user_id, least(count(*) FILTER (label > 0), {rows})
               + least(count(*) FILTER (label = 0), {rows}) AS given
        FROM seen WHERE user_id IN (SELECT user_id FROM firsts) GROUP BY user_id
    ) AS known WHERE {among}
)
"""

# The parts as published; a share of the users of the first is valid.
RAW = """
CREATE TABLE parted AS
WITH kept AS (
    SELECT user_id, number, row_number() OVER (ORDER BY number) AS place, count(*) OVER () AS n
    FROM chosen WHERE user_id IN (SELECT user_id FROM seen WHERE part = '{first}')
)
SELECT user_id, number, '{first}' AS part,
       CASE WHEN place <= floor({valid} * n) THEN 'valid' ELSE 'train' END AS split
FROM kept
UNION ALL
SELECT user_id, number, '{second}', 'test' FROM chosen
WHERE user_id IN (SELECT user_id FROM seen WHERE part = '{second}')
"""

# ONCE keeps the impressions, and a published list divides those of the second part.
HALVED = """
CREATE TABLE parted AS
SELECT user_id, impressions.position AS number, part, impression_id,
       CASE WHEN part = '{first}' THEN 'train'
            WHEN impression_id IN (SELECT impression_id FROM halves) THEN 'valid'
            ELSE 'test' END AS split
FROM impressions JOIN histories USING (history)
WHERE part IN ({parts}) AND user_id IN (SELECT user_id FROM firsts)
"""

DRAWN = """
CREATE TABLE drawn AS
SELECT row_number() OVER (ORDER BY split = 'test', number, split) - 1 AS unit, * FROM parted
"""

TAKEN = """
CREATE TABLE taken AS
SELECT unit, item_id, label, time, position, place FROM (
    SELECT drawn.unit, split, seen.*,
           row_number() OVER (PARTITION BY unit, label ORDER BY {order}) AS nth
    FROM seen JOIN drawn ON seen.user_id = drawn.user_id AND {same}
) WHERE nth <= {most}
"""

REPLACED = {
    "histories": """
    SELECT unit AS history, user_id, {cut} AS clicks FROM drawn JOIN firsts USING (user_id)
    """,
    "impressions": """
    SELECT unit AS position, {name} AS impression_id, split AS part,
           unit AS history, time
    FROM drawn JOIN (SELECT unit, min(time) AS time FROM taken GROUP BY unit) USING (unit)
    """,
    "rows": """
    SELECT unit AS position,
           row_number() OVER (PARTITION BY unit ORDER BY taken.position, place) AS place,
           item_id, label
    FROM taken
    """,
    "assigned": "SELECT unit AS position, split FROM drawn",
}


def arrange_told(
    connection: "duckdb.DuckDBPyConnection", split: Call, bench: Bench
) -> tuple[tuple[str, ...], tuple[Drop, ...]]:
    """Replace histories, impressions and rows by those of `recbench` or `legommenders`, and make
    assigned; what a reader should know."""
    chosen = PROTOCOLS[split.op]
    rules: Rules = chosen.protocol
    config = chosen.Config(**split.args)
    raw, halves = bool(getattr(config, "raw", False)), getattr(config, "halves", None)
    if halves is not None and not raw:
        raise fail(
            "E0623",
            "`halves` divides the published dev part, which `raw` alone reads",
            f'write `split = {split.op}(raw=true, halves="mind_imp_list.json")`, or leave it out',
        )
    parts = raw_parts(connection, bench, config) if raw else bench.parts
    rows = config.rows or bench.rows or ROWS
    listed = ", ".join(f"'{part}'" for part in parts)
    fewest = rules.train_negatives or rows
    # RecBench keeps a published history whole.
    clicks = "clicks" if split.op == "recbench" else f"list_slice(clicks, -{rules.history}, -1)"
    settings: dict[str, Any] = {
        "parts": listed, "both": BOTH if bench.both and not raw else "", "raw": str(raw).lower(),
        "seed": config.seed, "rows": rows, "test": config.test, "train": config.train,
        "valid": config.valid, "first": parts[0], "second": parts[-1],
        # The library cuts what it keeps of MIND from the beginning.
        "cut": f"list_slice(clicks, 1, {rules.history})" if raw else clicks,
        "order": f"md5('{config.seed}/' || seen.user_id || '/' || item_id || '/' || seen.position)",
        "same": "true" if not raw
        else "seen.part = drawn.part" if halves is None else "seen.position = drawn.number",
        "name": "split || '/' || user_id" if halves is None else "impression_id",
        "most": "nth" if raw
        else f"CASE WHEN split = 'train' AND label = 0 THEN {fewest} ELSE {rows} END",
    }  # fmt: skip
    everybody = count(connection, "SELECT count(DISTINCT user_id) FROM histories")
    divided = PARTS if not raw else RAW if halves is None else HALVED
    if halves is not None:
        list_halves(connection, Path(halves), parts[-1])
    for statement in (SEEN, FIRST):
        connection.execute(statement.format(**settings))
    known = "SELECT user_id FROM seen WHERE user_id IN (SELECT user_id FROM firsts)"
    order = order_users(connection, config, known, find_order(config, bench.listed))
    settings |= {"by": order.by, "among": order.among, "held": order.held}
    for statement in (USERS, divided, DRAWN, TAKEN):
        connection.execute(statement.format(**settings))
    replace(connection, {name: query.format(**settings) for name, query in REPLACED.items()})
    if rules.empty and not raw:
        fill_text(connection, rules.empty)
    if not count(connection, "SELECT count(*) FROM assigned WHERE split = 'train'"):
        given = count(connection, "SELECT coalesce(sum(given), 0) FROM chosen")
        raise fail(
            "E0623",
            f"the users that `{split.op}` keeps give {given:,} rows: the test part takes all",
            f"write a smaller test part, such as `{split.op}(test={max(given // 6, 1)})`",
        )
    kept = count(connection, "SELECT count(*) FROM chosen")
    used = count(connection, "SELECT count(*) FROM drawn")
    filled = "fill the parts, each as one impression with one history"
    if halves is not None:
        filled = "impressions of theirs are kept, with one history per user"
    return (
        f"{split.op} reads {' and '.join(parts)} and keeps {kept:,} of {everybody:,} users, those "
        f"with a history; {used:,} {filled}",
        *order.notes,
        *tell_held(connection),
    ), order.drops


def tell_held(connection: "duckdb.DuckDBPyConnection") -> tuple[str, ...]:
    """The clicks that the one history of their user holds: it is the first in the file, whenever
    that was, and an earlier impression may be among those that are joined to it."""
    ((held, clicks),) = connection.execute(
        """
        SELECT count(*) FILTER (WHERE list_contains(clicks, item_id)), count(*)
        FROM rows JOIN impressions USING (position) JOIN histories USING (history)
        WHERE label > 0
        """
    ).fetchall()
    if not held:
        return ()
    return (f"{held:,} of {clicks:,} clicks are on items of the one history of their user",)


def list_halves(connection: "duckdb.DuckDBPyConnection", path: Path, part: str) -> None:
    """halves(impression_id): the first half of a list of impression ids of a part. E0620 for a
    file that is none."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(one, int | str) for one in listed):
        raise fail(
            "E0620",
            f"`{path}` is no list of impression ids",
            "name ONCE's `mind_imp_list.json`, one JSON list, or leave `halves` out",
        )
    names = [f"{part}/{one}" for one in listed[: len(listed) // 2]]
    connection.execute(
        "CREATE TABLE halves AS SELECT unnest($1::VARCHAR[]) AS impression_id", [names]
    )


def replace(connection: "duckdb.DuckDBPyConnection", queries: Mapping[str, str]) -> None:
    """Make a table of each query; what had the name before, a table or a view, goes."""
    for name, query in queries.items():
        connection.execute(f"CREATE TABLE new_{name} AS {query}")
    kinds = connection.execute(
        "SELECT table_name, table_type FROM information_schema.tables"
    ).fetchall()
    for name, kind in kinds:
        if name in queries:
            connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name}")
    for name in queries:
        connection.execute(f"ALTER TABLE new_{name} RENAME TO {name}")


def raw_parts(
    connection: "duckdb.DuckDBPyConnection", bench: Bench, config: Any
) -> tuple[str, ...]:
    """The two published parts that `raw` reads. E0623 where it has no place."""
    plain = type(config)()
    changed = [n for n in ("test", "train", "rows") if getattr(config, n) != getattr(plain, n)]
    if changed:
        raise fail(
            "E0623",
            f"`raw` takes the published parts whole, and `{changed[0]}` is of parts that are drawn",
            f"leave `{changed[0]}` out, or `raw`",
        )
    there = {
        part for (part,) in connection.execute("SELECT DISTINCT part FROM impressions").fetchall()
    }
    if bench.raw is None or not there >= {*bench.raw}:
        raise fail(
            "E0623",
            "`raw` needs a data set whose two parts Legommenders reads itself: MIND with `train/` "
            "and `dev/`",
            "leave `raw` out",
        )
    return bench.raw


def count(connection: "duckdb.DuckDBPyConnection", query: str) -> int:
    ((found,),) = connection.execute(query).fetchall()
    return int(found)
