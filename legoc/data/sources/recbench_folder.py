"""Any data set as a folder in the files of RecBench: items, users, rows and the order of users."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.indexing.tables import Tables, quote
from legoc.data.splitting.orders import ORDER, VALID
from legoc.data.staging.first_records import quote_name
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.typing.processed_headers import HISTORY, LABEL, is_own


if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Columns:
    """How RecBench calls the columns of one data set. renamed: attributes of another name there."""

    item: str
    user: str
    history: str = HISTORY
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])


NEWS = {"category": "cat", "subcategory": "subcat", "abstract": "abs"}
HOTELS = {"name": "hotel_name", "location": "hotel_location"}
AMAZON = Columns(item="asin", user="reviewerID")
PLAIN = Columns(item="item_id", user="user_id")
COLUMNS: Mapping[str, Columns] = {
    "MIND": Columns(item="nid", user="uid", renamed=NEWS),
    "PENS": Columns(item="nid", user="uid"),
    "MicroLens": Columns(item="item", user="user"),
    "Goodreads": Columns(item="bid", user="uid"),
    "HM": Columns(item="article_id", user="customer_id"),
    "MovieLens": Columns(item="movieId", user="userId", history="his"),
    "Yelp": Columns(item="business_id", user="user_id"),
    "Steam": Columns(item="app_id", user="user_id"),
    "AmazonBooks": AMAZON,
    "AmazonCDs": AMAZON,
    "AmazonElectronics": AMAZON,
    "HotelRec": Columns(item="hid", user="uid", renamed=HOTELS),
    "Netflix": Columns(item="mid", user="uid"),
    "LastFM": Columns(item="tid", user="uid"),
    "POG": PLAIN,
}
META = {"fully_compressed": True, "version": "v1.0"}

# Labelled rows with their users, test first, as users fill the parts.
ROWS = """
CREATE TABLE written AS
SELECT interactions.row AS place, user_id, item_id, label::BIGINT AS label, clicks,
       split, CASE split WHEN 'test' THEN 'test' ELSE 'finetune' END AS file
FROM interactions JOIN histories USING (history_id)
WHERE split IN ('train', 'valid', 'test') AND label IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a folder holds: rows of each file, users, items, and users that are valid."""

    rows: Mapping[str, int]
    users: int
    items: int
    valid: int


def write_folder(tables: Tables, source: str, folder: Path) -> Written:
    """Write the labelled rows of tables into an empty folder; source: whose columns they get. E0545
    for data that these files cannot tell."""
    columns = COLUMNS.get(source, PLAIN)
    with tables.connect() as connection:
        connection.execute(ROWS)
        verify_told(connection)
        items = write_items(connection, tables, columns, folder)
        users = write_users(connection, tables, columns, folder)
        rows = write_rows(connection, columns, folder)
        order = listed(connection, "SELECT user_id FROM written GROUP BY user_id "
                       "ORDER BY min(file <> 'test'), min(place)")  # fmt: skip
        valid = listed(connection, "SELECT user_id FROM written WHERE split = 'valid' "
                       "GROUP BY user_id ORDER BY min(place)")  # fmt: skip
    write_list(folder / ORDER, order)
    if valid:
        write_list(folder / VALID, valid)
    (folder / "meta.json").write_text(json.dumps(META), encoding="utf-8")
    return Written(rows=rows, users=users, items=items, valid=len(valid))


def verify_told(connection: "duckdb.DuckDBPyConnection") -> None:
    """A user has one history there, and is a training user, a valid one, or neither."""
    several = users_where(connection, "count(DISTINCT clicks) > 1")
    if several[0]:
        raise untold(
            f"{several[0]:,} users have several histories, such as `{several[1]}`, and RecBench's "
            "files have one for each",
            "write `split = recbench(test=20k, train=100k)`, which makes one",
        )
    both = users_where(connection, "bool_or(split = 'train') AND bool_or(split = 'valid')")
    if both[0]:
        raise untold(
            f"{both[0]:,} users train and are valid, such as `{both[1]}`, and RecBench's files "
            "tell them apart by user",
            "write a split by user: `split = recbench(test=20k, train=100k)`",
        )
    odd = users_where(
        connection, "trim(any_value(user_id), ' \t') <> any_value(user_id) "
        "OR any_value(user_id) SIMILAR TO '(.|\\n)*[\\n\\r](.|\\n)*'"
    )  # fmt: skip
    if odd[0]:
        raise untold(
            f"the ids of {odd[0]:,} users begin or end with a blank or hold a line break, and "
            f"`{ORDER}` has one a line",
            "write other ids",
        )
    if not connection.execute("SELECT count(*) FROM written").fetchall()[0][0]:
        raise untold("no row has a label", "choose a part of the data that has labels")


def users_where(connection: "duckdb.DuckDBPyConnection", condition: str) -> tuple[int, str]:
    """How many users have this, and the first of them."""
    ((count, first),) = connection.execute(
        "SELECT count(*), min(user_id) FROM "
        f"(SELECT user_id FROM written GROUP BY user_id HAVING {condition})"
    ).fetchall()
    return int(count), str(first)


def untold(message: str, help: str) -> LegoError:
    return fail("E0545", message, help)


def write_items(
    connection: "duckdb.DuckDBPyConnection", tables: Tables, columns: Columns, folder: Path
) -> int:
    """The items that a row or a history names, as RecBench keeps them."""
    kept = "SELECT item_id FROM written UNION SELECT unnest(clicks) FROM written"
    target = folder / "items.parquet"
    return write_records(
        connection, tables.path("items"), "item_id", columns.item, columns, target,
        where=f"item_id IN ({kept})",
    )  # fmt: skip


def write_users(
    connection: "duckdb.DuckDBPyConnection", tables: Tables, columns: Columns, folder: Path
) -> int:
    """Each user with the history, in the order of the rows, and what else is known of users."""
    known = tables.path("users")
    others = described(connection, known) if known.is_file() else []
    named = "".join(f", {quote_name(name)}" for name in others if name != "user_id")
    joined = f"LEFT JOIN read_parquet({quote(known)}) USING (user_id)" if named else ""
    verify_names(
        [name for name in others if name != "user_id"],
        (columns.user, columns.item, columns.history),
    )
    copy(
        connection,
        f"SELECT user_id AS {quote_name(columns.user)}, clicks AS {quote_name(columns.history)}"
        f"{named} FROM (SELECT user_id, any_value(clicks) AS clicks, min(file <> 'test') AS later, "
        f"min(place) AS place FROM written GROUP BY user_id) {joined} ORDER BY later, place",
        folder / "users.parquet",
    )
    return int(connection.execute("SELECT count(DISTINCT user_id) FROM written").fetchall()[0][0])


def write_rows(
    connection: "duckdb.DuckDBPyConnection", columns: Columns, folder: Path
) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in ("test", "finetune", "interactions"):
        among = "true" if name == "interactions" else f"file = '{name}'"
        ((count,),) = connection.execute(f"SELECT count(*) FROM written WHERE {among}").fetchall()
        if not count:
            continue
        copy(
            connection,
            f"SELECT user_id AS {quote_name(columns.user)}, item_id AS {quote_name(columns.item)}, "
            f"label AS {LABEL} FROM written WHERE {among} ORDER BY file <> 'test', place",
            folder / f"{name}.parquet",
        )
        found[name] = int(count)
    return found


def write_records(
    connection: "duckdb.DuckDBPyConnection", path: Path, key: str, named: str, columns: Columns,
    target: Path, *, where: str,
) -> int:  # fmt: skip
    """A table of ids and attributes under the names of RecBench."""
    renamed = columns.renamed
    others = [name for name in described(connection, path) if name != key]
    told = [renamed.get(name, name) for name in others]
    verify_names(told, (named, columns.user, HISTORY))
    attributes = "".join(
        f", {quote_name(name)} AS {quote_name(other)}"
        for name, other in zip(others, told, strict=True)
    )
    query = f"FROM read_parquet({quote(path)}, file_row_number = true) WHERE {where}"
    copy(
        connection,
        f"SELECT {key} AS {quote_name(named)}{attributes} {query} ORDER BY file_row_number",
        target,
    )
    return int(connection.execute(f"SELECT count(*) {query}").fetchall()[0][0])


def verify_names(names: list[str], taken: tuple[str, ...]) -> None:
    """E0545 for an attribute that these files would take for something else."""
    for name in names:
        if name in taken or not is_own(name):
            raise untold(
                f"an attribute is called `{name}`, which means something else in RecBench's files",
                "give the column another name",
            )


def described(connection: "duckdb.DuckDBPyConnection", path: Path) -> list[str]:
    found = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quote(path)})").fetchall()
    return [name for name, *_ in found]


def listed(connection: "duckdb.DuckDBPyConnection", query: str) -> list[str]:
    return [name for (name,) in connection.execute(query).fetchall()]


def write_list(path: Path, names: list[str]) -> None:
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8", newline="\n")


def copy(connection: "duckdb.DuckDBPyConnection", query: str, target: Path) -> None:
    connection.execute(f"COPY ({query}) TO {quote(target)} (FORMAT parquet, COMPRESSION zstd)")
