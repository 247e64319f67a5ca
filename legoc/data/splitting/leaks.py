"""What training knows of the later parts, where the parts of the log do not follow each other in
time."""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import duckdb


# The parts of the log that are clicked later than training, and than validation.
LATER = {"train": ("valid", "test"), "valid": ("test",)}

# One click of the past with the last click of a later part up to it: `held`, as its `nth`.
MARKED = """
CREATE OR REPLACE TABLE marked AS
SELECT sight, user_id, nth AS seen,
       max(nth) FILTER (WHERE part IN ({later})) OVER (
           PARTITION BY sight, user_id ORDER BY nth) AS held
FROM past
"""

# Rows of a part; those whose history holds a click of a later part; those after such a click.
COUNTED = """
SELECT coalesce(sum(offered), 0), coalesce(sum(offered) FILTER (held > seen - {history}), 0),
       coalesce(sum(offered) FILTER (held IS NOT NULL), 0)
FROM moments JOIN assigned ON moment = position LEFT JOIN marked USING (sight, user_id, seen)
WHERE split = '{part}'
"""


def count_future_clicks(connection: "duckdb.DuckDBPyConnection", history: int) -> tuple[str, ...]:
    """What training and validation rows know of the clicks of their own users in later parts; to be
    asked where the log's own parts are the split.

    Reads past, moments and assigned (`derived`). history: clicks kept of each.
    """
    found: list[str] = []
    for part, name in (("train", "training"), ("valid", "validation")):
        later = LATER[part]
        listed = ", ".join(f"'{each}'" for each in later)
        connection.execute(MARKED.format(later=listed))
        ((rows, held, after),) = connection.execute(
            COUNTED.format(part=part, history=history)
        ).fetchall()
        connection.execute("DROP TABLE marked")
        if after:
            found.append(
                f"the parts leak the future: {int(held):,} of {int(rows):,} {name} rows have a "
                f"click of their own user in {' or '.join(later)} in their history, and "
                f"{int(after):,} are later than such a click; figures are too good for a forecast "
                "(`split = time` cuts all users at one time)"
            )
    return tuple(found)
