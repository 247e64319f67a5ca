"""Folders that RecBench and Legommenders have processed, from Parquet to relations, in DuckDB.

Whoever processed them has made histories, drawn negatives and chosen the rows: they are read as
they stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.indexing.tables import quote
from legoc.data.staging.first_records import quote_name
from legoc.data.staging.graded import build_items
from legoc.data.staging.impressions import build_impressions
from legoc.data.staging.losses import count_losses
from legoc.data.staging.report import Drop
from legoc.language.declaring.declare import Folder, param
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.typing.columns import read_parquet
from legoc.language.typing.processed_headers import (
    IMPRESSION,
    LABEL,
    Keys,
    Unclear,
    read_keys,
)


if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of a processed folder. logs: each file of interactions with the part it is."""

    items: Path
    users: Path
    logs: tuple[tuple[str, Path], ...]

    @property
    def files(self) -> list[Path]:
        return [self.items, self.users, *(path for _, path in self.logs)]


class Processed:
    """A folder of one data set as a library left it; ids are in columns that the files share."""

    class Config:
        path: Folder = param(doc="The folder of one data set, such as `data/mind`.")
        item: str | None = param(
            None, doc="The column of item ids; else the one items and interactions share."
        )
        user: str | None = param(
            None, doc="The column of user ids; else the one users and interactions share."
        )

    def __init__(self, config: Any) -> None:
        self.config = config


PEOPLE = """
CREATE TABLE people AS
SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY position) AS n
FROM (
    SELECT file_row_number AS position, {user} AS user_id, coalesce({clicks}, []) AS clicks
    FROM read_parquet({path}, file_row_number = true)
)
"""

# RecBench keeps an index column and groups by user; ONCE's interactions name their impression.
RATED = """
CREATE TABLE rated AS
SELECT row_number() OVER (ORDER BY source, line) - 1 AS position, * FROM ({logs})
"""
LOG = """
SELECT {number} AS source, '{part}' AS part, '{file}' AS file, file_row_number + 1 AS line,
       coalesce({user}, '') AS user_id, coalesce({item}, '') AS item_id,
       TRY_CAST("{label}" AS DOUBLE) AS label, {impression} AS impression
FROM read_parquet({path}, file_row_number = true)
"""

SHOWN = """
CREATE TABLE grouped AS
SELECT row_number() OVER (ORDER BY min(position)) - 1 AS position, part,
       arg_min(file, position) AS file, arg_min(line, position) AS line, impression, user_id,
       list(item_id ORDER BY position) AS offered, list(label ORDER BY position) AS labels
FROM rated WHERE user_id <> '' AND label IN (0, 1) GROUP BY part, impression, user_id
"""

TOLD = """
CREATE TABLE told AS
SELECT row_number() OVER (ORDER BY first) - 1 AS key, user_id, coalesce(clicks, []) AS clicks,
       part, 'users.parquet' AS file, coalesce(people.position + 1, 0) AS line
FROM (
    SELECT user_id, min(position) AS first, arg_min(part, position) AS part
    FROM grouped GROUP BY user_id
) LEFT JOIN people USING (user_id) WHERE coalesce(n, 1) = 1
"""

# The order of the rows stands for the time that is not told.
TIMED = """
CREATE VIEW shown AS
SELECT grouped.position, grouped.part, grouped.file, grouped.line, impression, key, offered,
       labels, make_timestamp(grouped.position * 1000000) AS time
FROM grouped JOIN told USING (user_id)
"""


def extract_folder(
    connection: "duckdb.DuckDBPyConnection",
    folder: Files,
    args: Mapping[str, Any],
    valid: Sequence[str] = (),
) -> tuple[tuple[str, ...], tuple[Drop, ...], bool]:
    """Make items, histories, impressions and rows, and users where they have attributes: the parts
    that have rows, the losses, and whether there are users.

    args: the settings of the source. valid: users whose rows of the part `train` are `valid`.
    Raises E0621 for columns that cannot be told, E0622 for a file that cannot be read.
    """
    import duckdb

    try:
        return build(connection, folder, find_keys(folder, args), valid)
    except duckdb.Error as error:
        raise fail(
            "E0622",
            f"a Parquet file of `{folder.items.parent}` cannot be read to its end",
            "get the files again, or write them anew with the library they are of",
            notes=(str(error).splitlines()[0],),
        ) from None


def find_keys(folder: Files, args: Mapping[str, Any]) -> Keys:
    """The columns, by the headers. Every file of interactions must have the same."""
    items, users = header(folder.items), header(folder.users)
    logs = [(path, header(path)) for _, path in folder.logs]
    try:
        keys = read_keys(items, users, logs[0][1], args)
    except Unclear as error:
        raise fail(
            "E0621",
            f"{error}",
            'name the columns in the spec, such as `item="nid", user="uid"`, or use the files as '
            "the library wrote them",
            notes=(f"the folder is {folder.items.parent}",),
        ) from None
    for path, found in [(folder.items, items), (folder.users, users), *logs]:
        wanted = [keys.item] if path == folder.items else [keys.user, keys.item, LABEL]
        for name in [keys.user, keys.history] if path == folder.users else wanted:
            if name not in found:
                raise unknown_column(path, name, found)
    return keys


def header(path: Path) -> Mapping[str, str]:
    try:
        return read_parquet(path)
    except (OSError, ValueError) as error:
        raise fail(
            "E0622",
            f"`{path.name}` is no Parquet file that can be read",
            "get the file again, or write it anew with the library it is of",
            notes=(str(error), f"the file is {path}"),
        ) from None


def unknown_column(path: Path, name: str, found: Mapping[str, str]) -> LegoError:
    return fail(
        "E0621",
        f"`{path.name}` has no column `{name}`",
        "use the file as the library wrote it, or name the columns in the spec",
        notes=(f"its columns are {', '.join(found)}", f"the file is {path}"),
    )


def build(
    connection: "duckdb.DuckDBPyConnection", folder: Files, keys: Keys, valid: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Drop, ...], bool]:
    drops = list(read_items(connection, folder.items, keys))
    kinds = types_of(connection, folder.users)
    connection.execute(
        PEOPLE.format(
            user=id_of(keys.user, kinds[keys.user]), path=quote(folder.users),
            clicks=ids_of(keys.history, kinds[keys.history]),
        )
    )  # fmt: skip
    logs: list[str] = []
    for number, (part, path) in enumerate(folder.logs):
        kinds = types_of(connection, path)
        user = id_of(keys.user, kinds[keys.user])
        logs.append(
            LOG.format(
                number=number, part=part, file=path.name, user=user, path=quote(path),
                item=id_of(keys.item, kinds[keys.item]), label=LABEL,
                impression=id_of(IMPRESSION, kinds[IMPRESSION]) if keys.impressions else user,
            )
        )  # fmt: skip
    connection.execute(RATED.format(logs=" UNION ALL ".join(logs)))
    connection.execute("CREATE TABLE held (user_id VARCHAR)")
    if valid:
        connection.execute("INSERT INTO held SELECT unnest($1::VARCHAR[])", [list(valid)])
        connection.execute(
            "UPDATE rated SET part = 'valid' WHERE part = 'train' "
            "AND user_id IN (SELECT user_id FROM held)"
        )
    for statement in (SHOWN, TOLD, TIMED):
        connection.execute(statement)
    drops += count_faults(connection)
    drops += build_impressions(connection)
    if keys.users:
        read_users(connection, folder.users, keys)
    there = {name for (name,) in connection.execute("SELECT DISTINCT part FROM rated").fetchall()}
    order = [part for part in ("train", "valid", "test", "log") if part in there]
    return tuple(order), tuple(drops), bool(keys.users)


def read_items(connection: "duckdb.DuckDBPyConnection", path: Path, keys: Keys) -> tuple[Drop, ...]:
    kinds = types_of(connection, path)
    chosen = "".join(f", {attribute_of(name, kinds[name])}" for name in keys.items)
    connection.execute(
        f"CREATE VIEW records AS SELECT file_row_number AS position, '{path.name}' AS file, "
        f"file_row_number + 1 AS line, {id_of(keys.item, kinds[keys.item])} AS item_id{chosen} "
        f"FROM read_parquet({quote(path)}, file_row_number = true)"
    )
    return build_items(connection, "records", list(keys.items))


def read_users(connection: "duckdb.DuckDBPyConnection", path: Path, keys: Keys) -> None:
    kinds = types_of(connection, path)
    chosen = "".join(f", {attribute_of(name, kinds[name])}" for name in keys.users)
    connection.execute(
        f"CREATE TABLE users AS SELECT DISTINCT ON (user_id) {id_of(keys.user, kinds[keys.user])} "
        f"AS user_id{chosen} FROM read_parquet({quote(path)}, file_row_number = true) "
        "ORDER BY user_id, file_row_number"
    )


def count_faults(connection: "duckdb.DuckDBPyConnection") -> list[Drop]:
    found: list[Drop] = []
    place = "SELECT file, line, position, "
    for reason, policy, query in (
        ("interaction without a user", "row dropped",
         f"{place} item_id AS value FROM rated WHERE user_id = ''"),
        ("interaction whose label is not 0 or 1", "row dropped",
         f"{place} user_id AS value FROM rated WHERE user_id <> '' AND coalesce(label, -1) "
         "NOT IN (0, 1)"),
        ("user again", "first record kept",
         "SELECT 'users.parquet' AS file, position + 1 AS line, position, user_id AS value "
         "FROM people WHERE n > 1"),
        ("user without a record", "kept with an empty history",
         f"{place} user_id AS value FROM grouped "
         "WHERE user_id NOT IN (SELECT user_id FROM people WHERE user_id IS NOT NULL)"),
    ):  # fmt: skip
        found += count_losses(connection, reason, policy, query)
    return found


def types_of(connection: "duckdb.DuckDBPyConnection", path: Path) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quote(path)})")
    return {name: kind for name, kind, *_ in described.fetchall()}


def id_of(column: str, kind: str) -> str:
    """An id as text; numbers that a missing neighbour turned into floats lose their `.0`."""
    whole = "::BIGINT" if kind in ("DOUBLE", "FLOAT") else ""
    return f"{quote_name(column)}{whole}::VARCHAR"


def ids_of(column: str, kind: str) -> str:
    whole = "::BIGINT[]" if kind in ("DOUBLE[]", "FLOAT[]") else ""
    return f"{quote_name(column)}{whole}::VARCHAR[]"


def attribute_of(column: str, kind: str) -> str:
    """An attribute in SQL: numbers as they are, lists of text, else text, empty where missing."""
    name = quote_name(column)
    if kind.endswith("[]"):
        return f"coalesce({name}::VARCHAR[], []) AS {name}"
    if kind in ("DOUBLE", "FLOAT") or "INT" in kind or kind.startswith("DECIMAL"):
        return f"{name}::DOUBLE AS {name}"
    return f"coalesce({name}::VARCHAR, '') AS {name}"
