"""When the items of one's own tables appeared: a column of `items` with times."""

from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.sources.tables_layout import Layout
from legoc.data.sources.tables_read import id_of, rows_of, timed
from legoc.data.staging.graded import scan
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.typing.table_columns import names_of, no_column
from legoc_runtime.moments import Moments, UndecidedError


if TYPE_CHECKING:
    import duckdb


COLUMNS = {
    "item_id": "text", "number": "number", "figures": "integer", "plain": "integer",
    "month": "integer", "day": "integer",
}  # fmt: skip


def build_published(
    connection: "duckdb.DuckDBPyConnection",
    layout: Layout,
    column: str,
    staging: Path,
    losses: Losses,
) -> str:
    """Make published(item_id, time) of a column of `items`; what its times were taken for.

    One that cannot be read is counted and left empty. Raises E0621 where there is no such column
    and E0630 where its values have no one meaning.
    """
    names = names_of(layout.tables["items"], layout.dialect)
    if column not in names:
        raise no_column(layout.tables["items"][0], names, column, "published")
    key = layout.meant.keys["items"]
    moments = Moments(column, unit=layout.unit, form=layout.form)
    target = staging / "published.parquet"
    # The records were read before, and what is wrong with them is counted already.
    with Staged(target, COLUMNS) as staged:
        for file, line, (given, value) in rows_of(layout, "items", [key, column], Losses()):
            before = moments.unread
            seen = moments.see(value)
            if moments.unread > before:
                place = f"{file}:{line}: {column} = {str(value)[:60]}"
                losses.add("time that cannot be read", "left empty", "items", place)
            staged.add(
                id_of(given, key, layout, file, line),
                seen.number, seen.figures, seen.plain, seen.month, seen.day,
            )  # fmt: skip
    try:
        rule = moments.decide()
    except UndecidedError as error:
        raise fail("E0630", error.message, error.help) from None
    connection.execute(
        "CREATE TABLE published AS SELECT item_id, make_timestamp(time) AS time "
        f"FROM {timed(scan(target), rule)} "
        "QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY position) = 1"
    )
    return f"`{column}`: {rule.told}" if rule.told else ""
