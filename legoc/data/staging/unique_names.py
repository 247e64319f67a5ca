"""Names of impressions that are unique over the log, whatever signs the log's own hold."""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import duckdb


def name_units(connection: "duckdb.DuckDBPyConnection", table: str, order: str) -> str:
    """The name of a row of `table` as SQL over it: its `unit` where no other row has it. Rows that
    share a unit are numbered in the order of a column."""
    repeated = connection.execute(
        f"SELECT 1 FROM {table} GROUP BY unit HAVING count(*) > 1 LIMIT 1"
    ).fetchone()
    if repeated is None:
        return "unit"
    # A unit that looks numbered is numbered too: else `a/1` might be the first of two `a`.
    return f"""
        unit || CASE WHEN count(*) OVER (PARTITION BY unit) > 1 OR regexp_matches(unit, '/[0-9]+$')
                THEN '/' || row_number() OVER (PARTITION BY unit ORDER BY {order}) ELSE '' END
    """
