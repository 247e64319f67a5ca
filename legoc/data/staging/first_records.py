"""Records that repeat an id: the first of each is kept, and the others are counted by whether they
say the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.data.staging.losses import count_losses
from legoc.data.staging.report import Drop


if TYPE_CHECKING:
    import duckdb


SAME, OTHER = "again with the same text", "again with another text"
POLICY = "first record kept"


def differ(attributes: Sequence[str], one: str, other: str) -> str:
    """A condition of SQL: two records differ in some attribute."""

    def row(table: str) -> str:
        return "row(" + ", ".join(f"{table}.{quote_name(name)}" for name in attributes) + ")"

    return f"{row(one)} IS DISTINCT FROM {row(other)}" if attributes else "false"


def quote_name(column: str) -> str:
    """A column as SQL names it."""
    return '"' + column.replace('"', '""') + '"'


def number_records(connection: "duckdb.DuckDBPyConnection", table: str, key: str) -> None:
    """Make listed: a table of SQL with `nth`, the number of each record among those of its key."""
    connection.execute(
        "CREATE TABLE listed AS "
        f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY position) AS nth FROM {table}"
    )


def count_repeated(
    connection: "duckdb.DuckDBPyConnection", what: str, key: str, attributes: Sequence[str]
) -> tuple[Drop, ...]:
    """The losses of listed(position, file, line, <key>, <attributes>, nth): records without a key,
    and those after the first of theirs. what: the thing they are of, such as `item`."""
    found = count_losses(
        connection, f"{what} without an id", "dropped",
        f"SELECT file, line, position, '' AS value FROM listed WHERE coalesce({key}, '') = ''",
        part=f"{what}s",
    )  # fmt: skip
    # Joining the few that repeat costs less than a window over every text.
    connection.execute(
        f"""
        CREATE TABLE repeated AS
        SELECT later.file, later.line, later.position, later.{key} AS value,
               {differ(attributes, "later", "first")} AS differs
        FROM listed AS later JOIN listed AS first ON first.{key} = later.{key} AND first.nth = 1
        WHERE later.nth > 1 AND later.{key} <> ''
        """
    )
    for reason, chosen in ((SAME, "NOT differs"), (OTHER, "differs")):
        query = f"SELECT * FROM repeated WHERE {chosen}"
        found += count_losses(connection, f"{what} id {reason}", POLICY, query, f"{what}s")
    connection.execute("DROP TABLE repeated")
    return found


def build_users(
    connection: "duckdb.DuckDBPyConnection", users: str, attributes: Sequence[str]
) -> tuple[Drop, ...]:
    """Make users(user_id, <attributes>) out of a table of SQL (position, file, line, user_id,
    <attributes>): the first record of each id."""
    number_records(connection, users, "user_id")
    chosen = "".join(f", {quote_name(name)}" for name in attributes)
    connection.execute(
        f"CREATE TABLE users AS SELECT user_id{chosen} FROM listed "
        "WHERE nth = 1 AND coalesce(user_id, '') <> ''"
    )
    drops = count_repeated(connection, "user", "user_id", attributes)
    connection.execute("DROP TABLE listed")
    return drops
