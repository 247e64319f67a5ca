"""Counts of written tables: sizes per split, coverage of the attributes, what is new."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.report import Drop, Part, Report


if TYPE_CHECKING:
    import duckdb


USERS = """
    SELECT user_id, row_number() OVER (ORDER BY min(row))::INTEGER AS number
    FROM interactions JOIN histories USING (history_id) WHERE split = 'train' GROUP BY user_id
"""


def survey(
    folder: Path,
    *,
    source: str,
    licence: str,
    drops: Sequence[Drop],
    notes: Sequence[str],
    unit: str = "impression_id",
) -> Report:
    """Count the tables in a folder and mark the items that training shows.

    unit: what rows are ranked within, `impression_id` or (without impressions) `user_id`.
    Writes `training.parquet` (`item_id`): items of some training impression or training history,
    from which vocabularies are learned and by which items count as known; and `trained.parquet`
    (`user_id`, `number`): the users of the training rows in the order in which these show them.
    """
    import duckdb

    with duckdb.connect() as connection:
        for name in ("items", "histories", "interactions"):
            path = str(folder / f"{name}.parquet").replace("'", "''")
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
        connection.execute(
            """
            CREATE TABLE training AS
            SELECT DISTINCT item_id FROM (
                SELECT item_id FROM interactions WHERE split = 'train'
                UNION ALL
                SELECT unnest(clicks) AS item_id FROM histories WHERE history_id IN (
                    SELECT history_id FROM interactions WHERE split = 'train')
            )
            """
        )
        target = str(folder / "training.parquet").replace("'", "''")
        connection.execute(
            f"COPY (SELECT item_id FROM training ORDER BY item_id) TO '{target}' (FORMAT parquet)"
        )
        target = str(folder / "trained.parquet").replace("'", "''")
        connection.execute(f"COPY ({USERS} ORDER BY number) TO '{target}' (FORMAT parquet)")
        ((items,),) = connection.execute("SELECT count(*) FROM items").fetchall()
        ((histories, users, empty),) = connection.execute(
            "SELECT count(*), count(DISTINCT user_id), count(*) FILTER (len(clicks) = 0) "
            "FROM histories"
        ).fetchall()
        return Report(
            source=source, licence=licence, items=items, users=users, histories=histories,
            empty_histories=empty, coverage=count_coverage(connection, items),
            parts=count_parts(connection, unit), drops=tuple(drops), notes=tuple(notes),
        )  # fmt: skip


def count_coverage(connection: "duckdb.DuckDBPyConnection", items: int) -> dict[str, float]:
    """The share of items that have each attribute."""
    described = connection.execute("DESCRIBE items").fetchall()
    coverage: dict[str, float] = {}
    for name, *_ in described:
        if name == "item_id":
            continue
        ((filled,),) = connection.execute(
            f"SELECT count(*) FILTER (\"{name}\"::VARCHAR NOT IN ('', '[]')) FROM items"
        ).fetchall()
        coverage[name] = filled / items if items else 0.0
    return coverage


def count_parts(connection: "duckdb.DuckDBPyConnection", unit: str) -> dict[str, Part]:
    """The counts of every split that has rows, in the order train, valid, test, predict."""
    lacking = {
        split: int(count)
        for split, count in connection.execute(
            f"""
            SELECT split, count(*) FROM (
                SELECT split FROM interactions JOIN histories USING (history_id)
                GROUP BY split, {unit}
                HAVING coalesce(sum(label), 0) = 0 OR sum(label) = count(*)
            ) GROUP BY split
            """
        ).fetchall()
    }
    counted = connection.execute(
        """
        WITH groups AS (
            SELECT split, impression_id, any_value(history_id) AS history_id, count(*) AS n,
                   coalesce(sum(label), 0) AS clicks,
                   count(*) FILTER (item_id NOT IN (SELECT item_id FROM training)) AS fresh
            FROM interactions GROUP BY split, impression_id
        )
        SELECT split, sum(n), sum(groups.clicks), count(*),
               count(*) FILTER (len(histories.clicks) = 0),
               count(DISTINCT history_id), count(DISTINCT user_id), sum(fresh) / sum(n)
        FROM groups JOIN histories USING (history_id) GROUP BY split
        """
    ).fetchall()
    order = ("train", "valid", "test", "predict")
    found: dict[str, Part] = {}
    for split, rows, clicks, impressions, cold, histories, users, fresh in sorted(
        counted, key=lambda row: order.index(row[0])
    ):
        found[split] = Part(
            rows=int(rows), clicks=int(clicks), impressions=int(impressions),
            one_class=0 if split == "predict" else lacking.get(split, 0), cold=int(cold),
            histories=int(histories), users=int(users), new_items=float(fresh),
        )  # fmt: skip
    return found
