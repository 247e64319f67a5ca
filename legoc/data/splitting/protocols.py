"""The protocols of RecBench and Legommenders for data without impressions: a split by user.

Each user is one impression: the last clicks are its positives, what the user graded low (or, where
nothing is graded, items drawn at random) its negatives, and the clicks before the last its history.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from legoc.data.splitting.orders import find_order, order_users
from legoc.data.splitting.unseen import DRAWN, draw_unseen, list_touched
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Feedback
from legoc.language.declaring.declare import File, Quantity, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


if TYPE_CHECKING:
    import duckdb


Count = Quantity["count"]
Share = Quantity["share"]

# Rows a user gives at most, of each label, where a source says nothing else.
ROWS = 10


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Where the two differ: clicks kept of a history, non-clicks a training user gives at most
    (none: as many as others), and what stands for missing text."""

    history: int
    train_negatives: int | None
    empty: str


@operator("split", "recbench", paper="RecBench")
class RecBench:
    """The split of RecBench: by user, with the last clicks of each as positives.

    Users with both labels and more than the last clicks are shuffled once; the first fill the test
    part, the next the training part, of which a tenth is valid. Made for comparison with published
    figures.
    """

    class Config:
        test: Count = param(20_000, min=0, doc="Rows of the test part, whose users come first.")
        train: Count = param(100_000, min=1, doc="Rows of the training and validation part.")
        valid: Share = param(0.1, min=0, max=1, doc="Share of the training users that are valid.")
        rows: int | None = param(
            None, min=1, doc="Rows of each label a user gives at most; `none` takes the source's."
        )
        seed: int = param(2023, min=0, doc="What the order of the users is drawn from.")
        order: File | None = param(
            None, since=True,
            doc="`user_order.txt` of a RecBench folder: its users, in its order, not drawn; "
            "`valid_user_set_0.1.txt` beside it says who is valid.",
        )  # fmt: skip

    example = "split = recbench(test=20k, train=100k)"
    protocol = Rules(history=100, train_negatives=None, empty="")

    def __init__(self, config: Any) -> None:
        self.config = config


@operator("split", "legommenders", paper="Legommenders")
class Legommenders:
    """The split of Legommenders on RecBench's data: the same users and rows, histories of 50.

    A training user keeps up to 100 non-clicks to draw from, and missing text reads `[empty]`. With
    `raw` it is that of the library on MIND as published: all rows of train and dev, a tenth of the
    training users valid, one history per user, cut to its first 50 clicks; with `halves`, too, that
    of ONCE, whose groups are impressions.
    """

    class Config:
        test: Count = param(20_000, min=0, doc="Rows of the test part, whose users come first.")
        train: Count = param(100_000, min=1, doc="Rows of the training and validation part.")
        valid: Share = param(0.1, min=0, max=1, doc="Share of the training users that are valid.")
        rows: int | None = param(
            None, min=1, doc="Rows of each label a user gives at most; `none` takes the source's."
        )
        seed: int = param(2023, min=0, doc="What the order of the users is drawn from.")
        raw: bool = param(
            False, since=True, doc="Read the published parts of MIND as the library does."
        )
        halves: File | None = param(
            None, since=True,
            doc="With `raw`: ONCE's list of impression ids; the first half of it is valid, the "
            "other impressions of dev are test.",
        )  # fmt: skip

    example = "split = legommenders(test=20k, train=100k)"
    protocol = Rules(history=50, train_negatives=100, empty="[empty]")

    def __init__(self, config: Any) -> None:
        self.config = config


PROTOCOLS: dict[str, Any] = {"recbench": RecBench, "legommenders": Legommenders}

# Clicks and non-clicks of each user, numbered from the first, with the totals beside them.
GRADED = """
CREATE TABLE graded AS
SELECT user_id, item_id, label, time,
       row_number() OVER (PARTITION BY user_id, label ORDER BY time, position) AS nth,
       count(*) FILTER (WHERE label > 0) OVER (PARTITION BY user_id) AS likes,
       count(*) FILTER (WHERE label = 0) OVER (PARTITION BY user_id) AS dislikes
FROM feedback WHERE label IS NOT NULL
"""

KEPT = """
SELECT DISTINCT user_id, likes, dislikes FROM graded WHERE likes > {last} AND {both}
"""
# md5 is a shuffle that does not depend on any library's generator.
USERS = """
CREATE TABLE chosen AS
SELECT *, sum(given) OVER (ORDER BY number) - given AS before FROM (
    SELECT user_id, row_number() OVER (ORDER BY {by}) AS number,
           least({last}, {rows}) + least({negatives}, {rows}) AS given
    FROM ({kept}) AS known WHERE {among}
)
"""

PARTS = """
CREATE TABLE parted AS
WITH tuned AS (
    SELECT *, before - min(before) OVER () AS used FROM chosen WHERE before >= {test}
), kept AS (
    SELECT *, row_number() OVER (ORDER BY md5('valid/{seed}/' || user_id), user_id) AS place,
           count(*) OVER () AS n
    FROM tuned WHERE used < {train}
)
SELECT user_id, number, 'test' AS split FROM chosen WHERE before < {test}
UNION ALL
SELECT user_id, number, CASE WHEN {held} THEN 'valid' ELSE 'train' END
FROM kept
"""

HISTORIES = """
CREATE TABLE histories AS
SELECT number AS history, user_id, coalesce(clicks, []::VARCHAR[]) AS clicks
FROM parted LEFT JOIN (
    SELECT user_id, list(item_id ORDER BY nth) AS clicks FROM graded
    WHERE label > 0 AND nth <= likes - {last} AND nth > likes - {last} - {history}
    GROUP BY user_id
) AS past USING (user_id)
"""

IMPRESSIONS = """
CREATE TABLE impressions AS
SELECT number AS position, user_id AS impression_id, 'log' AS part, number AS history, time
FROM parted JOIN (
    SELECT user_id, min(time) AS time FROM graded WHERE label > 0 AND nth > likes - {last}
    GROUP BY user_id
) AS moments USING (user_id)
"""

LABELLED = """
CREATE TABLE rows AS
SELECT number AS position,
       row_number() OVER (PARTITION BY number ORDER BY label, nth) AS place,
       item_id, label::FLOAT AS label
FROM graded JOIN parted USING (user_id)
WHERE (label > 0 AND nth > likes - {last} AND nth > likes - {rows})
   OR (label = 0 AND nth <= CASE split WHEN 'train' THEN {train_rows} ELSE {rows} END)
"""

ASSIGNED = "CREATE TABLE assigned AS SELECT number AS position, split FROM parted"


def arrange_protocol(
    connection: "duckdb.DuckDBPyConnection", split: Call, feedback: Feedback
) -> tuple[tuple[str, ...], tuple[Drop, ...]]:
    """Make histories, impressions, rows and assigned by the rules of `recbench` or
    `legommenders`; what a reader should know, and what the rules left out."""
    chosen = PROTOCOLS[split.op]
    rules: Rules = chosen.protocol
    config = chosen.Config(**split.args)
    for name in ("raw", "halves"):
        if getattr(config, name, None):
            raise fail(
                "E0623",
                f"`{name}` is of logs of impressions, and this data set has none",
                f"leave `{name}` out: write `split = {split.op}`",
            )
    rows = config.rows or feedback.rows or ROWS
    graded = feedback.graded
    textless = drop_textless(connection, feedback, rules)
    list_touched(connection)
    settings = {
        "seed": config.seed, "last": feedback.last, "rows": rows, "test": config.test,
        "train": config.train, "valid": config.valid, "history": rules.history,
        "train_rows": rules.train_negatives or rows,
        "negatives": "dislikes" if graded else str(feedback.unseen),
        "both": "dislikes > 0" if graded else "true",
    }  # fmt: skip
    connection.execute(GRADED)
    kept = KEPT.format(**settings)
    order = order_users(connection, config, kept, find_order(config, None))
    settings |= {"kept": kept, "by": order.by, "among": order.among, "held": order.held}
    for statement in (USERS, PARTS):
        connection.execute(statement.format(**settings))
    notes = order.notes + describe(connection, split.op, graded)
    for statement in (HISTORIES, IMPRESSIONS, LABELLED, ASSIGNED):
        connection.execute(statement.format(**settings))
    if not graded:
        connection.execute(
            "CREATE TABLE wanted AS SELECT number AS key, user_id, "
            f"{min(feedback.unseen, rows)} AS amount FROM parted"
        )
        draw_unseen(connection, config.seed)
        connection.execute(f"INSERT INTO rows SELECT key, {DRAWN} + place, item_id, 0 FROM drawn")
    return notes, (*textless, *order.drops)


def drop_textless(
    connection: "duckdb.DuckDBPyConnection", feedback: Feedback, rules: Rules
) -> tuple[Drop, ...]:
    """Leave out items without their text, with what was done to them (RecBench), or fill in what
    stands for it (Legommenders, which then reads RecBench's items)."""
    if feedback.text is None:
        return ()
    drops: list[Drop] = []
    for table, reason in (("feedback", "interaction with an item without text"),
                          ("items", "item without text")):  # fmt: skip
        empty = f"item_id IN (SELECT item_id FROM items WHERE trim(\"{feedback.text}\") = '')"
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE {empty}").fetchone()
        connection.execute(f"DELETE FROM {table} WHERE {empty}")
        if found and found[0]:
            drops.append(Drop(reason=reason, policy="dropped", part="log", count=found[0]))
    unused = "item_id NOT IN (SELECT item_id FROM feedback)"
    found = connection.execute(f"SELECT count(*) FROM items WHERE {unused}").fetchone()
    connection.execute(f"DELETE FROM items WHERE {unused}")
    if found and found[0]:
        drops.append(
            Drop(reason="item nobody touched", policy="dropped", part="log", count=found[0])
        )
    if rules.empty:
        fill_text(connection, rules.empty)
    return tuple(drops)


def fill_text(connection: "duckdb.DuckDBPyConnection", empty: str) -> None:
    """Write what stands for missing text into every text column."""
    for name, kind, *_ in connection.execute("DESCRIBE items").fetchall():
        if kind == "VARCHAR" and name != "item_id":
            connection.execute(
                f'UPDATE items SET "{name}" = $1 WHERE trim("{name}") = \'\'', [empty]
            )


def describe(connection: "duckdb.DuckDBPyConnection", name: str, graded: bool) -> tuple[str, ...]:
    """Who was kept, before parts were filled. E0623 where the test part took everybody."""
    ((everybody, kept, likes, dislikes),) = connection.execute(
        """
        SELECT (SELECT count(DISTINCT user_id) FROM feedback), (SELECT count(*) FROM chosen),
               count(*) FILTER (WHERE label > 0), count(*) FILTER (WHERE label = 0)
        FROM graded WHERE user_id IN (SELECT user_id FROM chosen)
        """
    ).fetchall()
    ((used, trained),) = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE split = 'train') FROM parted"
    ).fetchall()
    if not trained:
        ((given,),) = connection.execute("SELECT coalesce(sum(given), 0) FROM chosen").fetchall()
        raise fail(
            "E0623",
            f"the {kept:,} users that `{name}` keeps give {given:,} rows: the test part takes all",
            f"write a smaller test part, such as `{name}(test={max(int(given) // 6, 1)})`",
        )
    negatives = f"{dislikes:,} negatives and " if graded else ""
    return (
        f"{name} keeps {kept:,} of {everybody:,} users, with {negatives}{likes:,} positives "
        f"before the last are set apart; {used:,} users fill the parts",
    )
