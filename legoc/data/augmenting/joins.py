"""Extra attributes of items and users: tables joined on their key (`augment` of a data record).

The joined tables are a folder of their own in the cache, under a digest of the converted tables
and of the content of each file; tables that stay the same are shared with the first folder.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.augmenting.files import Joining, stage_table
from legoc.data.augmenting.generated import Generated, attach, load_histories
from legoc.data.augmenting.logs import stage_log
from legoc.data.cache import digest, hash_files, obtain
from legoc.data.indexing.counts import survey
from legoc.data.indexing.tables import Tables, open_connection, quote
from legoc.data.staging.first_records import quote_name
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Report
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.generation import generated_name
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    import duckdb


# Raise when the same files would be joined differently.
VERSION = 3

# The number of an item's row beside its attributes, under a name no attribute has.
PLACE = "#place"

# What the survey writes.
COUNTED = ("training", "trained")


def augment(
    tables: Tables, files: Sequence[str], root: Path, progress: Progress = SILENT
) -> Tables:
    """The tables with the attributes of `files` joined to items and users, in their order.

    A column the items have already is replaced where the file has a value. Rows of unknown items
    or users join nothing and are counted. Generated items follow all others. root: the cache
    folder. Raises E0640.
    """
    if not files:
        return tables
    verify_generated(files)
    paths = [Path(name) for name in files]
    for path in paths:
        if not path.is_file():
            raise fail(
                "E0640",
                f"`{path}` is missing",
                "name a table relative to the spec in `augment`, or leave it out",
            )
    key = digest([VERSION, tables.digest, [p.suffix.lower() for p in paths],
                  hash_files([*paths, *companions(paths)], root)])  # fmt: skip

    def make(staging: Path) -> dict[str, Any]:
        progress.say("joining the augmenting tables")
        return {"digest": key, "report": write(tables, paths, staging).to_json()}

    folder, manifest = obtain(root / "tables" / key[:32], make)
    return Tables(folder=folder, digest=key, report=Report.from_json(manifest["report"]))


def verify_generated(files: Sequence[str]) -> None:
    """Refuse what a `generate` has not written yet, before anything else takes time (E0926)."""
    for name in files:
        generation, path = generated_name(name), Path(name)
        if generation is None or path.is_file():
            continue
        others = [other.name for other in path.parent.glob(f"{generation}-*{path.suffix}")]
        journal = path.parent / f"{generation}.asked.jsonl"
        if others:
            notes = (f"`{min(others)}` was written by another prompt, model or data",)
        else:
            notes = (f"some answers are kept in {journal}",) if journal.is_file() else ()
        raise fail(
            "E0926",
            f"`{generation}` is not generated",
            f"`legoc generate FILE --only {generation}` asks the model; it goes on where it "
            "stopped",
            notes=notes,
        )


def companions(paths: Sequence[Path]) -> list[Path]:
    """Files that say who the users of a log are: what they hold changes the join."""
    logs = [path.parent for path in paths if path.suffix.lower() == ".log"]
    names = [folder / name for folder in logs for name in ("user/tok.uid.dat", "tok.uid.dat")]
    return [path for path in names if path.is_file()]


def write(tables: Tables, paths: Sequence[Path], staging: Path) -> Report:
    """Write the joined tables and link those that stay the same; the report, counted anew."""
    scratch = staging / "scratch"
    scratch.mkdir()
    losses = Losses()
    before = tables.report
    added, notes, ruled = 0, list(before.notes), list(before.drops)
    retold: list[str] = []
    with open_connection(scratch) as connection:
        load(connection, tables)
        for number, path in enumerate(paths):
            target = scratch / f"joined{number}.parquet"
            reader = stage_log if path.suffix.lower() == ".log" else stage_table
            staged = reader(path, target, losses)
            if isinstance(staged, Generated):
                load_histories(connection, tables)
                count, note, left = attach(connection, staged, PLACE, losses, retold)
                added, notes, ruled = added + count, [*notes, note], [*ruled, *left]
            else:
                join(connection, staged, losses)
                retold += staged.columns if staged.retells else ()
        changed = {"items": f'SELECT * EXCLUDE ("{PLACE}") FROM items ORDER BY "{PLACE}"'}
        if columns(connection, "users") != ["user_id"]:
            changed["users"] = "SELECT * FROM users ORDER BY user_id"
        if added:
            changed["histories"] = "SELECT * EXCLUDE (place, own) FROM histories ORDER BY place"
        for name, query in changed.items():
            connection.execute(
                f"COPY ({query}) TO {quote(staging / f'{name}.parquet')} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
    shutil.rmtree(scratch)
    # The survey writes these again; what it opens must not be a shared file.
    for path in tables.folder.iterdir():
        if path.suffix == ".parquet" and path.stem not in (*changed, *COUNTED):
            share(path, staging / path.name)
    if (tables.folder / "LICENCE.txt").is_file():
        shutil.copyfile(tables.folder / "LICENCE.txt", staging / "LICENCE.txt")
    found = survey(
        staging, source=before.source, licence=before.licence,
        drops=(*ruled, *losses.drops()), notes=tuple(notes),
    )  # fmt: skip
    # A join adds attributes and leaves the rows as they are, counted as their source ranks them.
    return replace(
        found, parts=before.parts, group=before.group, candidates=before.candidates,
        warnings=before.warnings, order=before.order, generated=added, notation=before.notation,
    )  # fmt: skip


def share(path: Path, target: Path) -> None:
    """The same file under another name, copied where the disk knows no links."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def load(connection: "duckdb.DuckDBPyConnection", tables: Tables) -> None:
    """The tables `items`, with the place of each row, and `users`."""
    connection.execute(
        f'CREATE TABLE items AS SELECT * EXCLUDE (file_row_number), file_row_number AS "{PLACE}" '
        f"FROM read_parquet({quote(tables.path('items'))}, file_row_number = true)"
    )
    users = tables.path("users")
    if users.is_file():
        connection.execute(f"CREATE TABLE users AS SELECT * FROM read_parquet({quote(users)})")
    else:
        connection.execute(
            "CREATE TABLE users AS SELECT DISTINCT user_id "
            f"FROM read_parquet({quote(tables.path('histories'))})"
        )


def columns(connection: "duckdb.DuckDBPyConnection", table: str) -> list[str]:
    return [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]


def join(connection: "duckdb.DuckDBPyConnection", joining: Joining, losses: Losses) -> None:
    """Give a table the columns of a staged one, and count its rows that join nothing."""
    table = "items" if joining.key == "item_id" else "users"
    key = joining.key
    connection.execute(
        f"CREATE OR REPLACE VIEW joined AS SELECT * FROM read_parquet({quote(joining.path)})"
    )
    unknown = connection.execute(
        f"SELECT {key} FROM joined WHERE {key} NOT IN (SELECT {key} FROM {table})"
    ).fetchall()
    for (name,) in unknown:
        reason = f"record of an unknown {table.removesuffix('s')}"
        losses.add(reason, "joins nothing", "augment", f"{joining.shown}: {name}")
    known = columns(connection, table)
    kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()}
    folded = {name.lower(): name for name in known}
    for name in joining.columns:
        if (other := folded.get(name.lower(), name)) != name:
            raise fail(
                "E0640",
                f"`{joining.shown}` has a column `{name}`, and there is `{other}`",
                "rename it: names that differ in case alone cannot stand beside each other",
            )
    chosen: list[str] = []
    given = {name: kind for name, kind, *_ in connection.execute("DESCRIBE joined").fetchall()}
    for name in known:
        if name in joining.columns:
            cast = as_kind(f"joined.{quote_name(name)}", given[name], kinds[name])
            empty = f"nullif({cast}, '')" if kinds[name] == "VARCHAR" else cast
            chosen.append(f"coalesce({empty}, {table}.{quote_name(name)}) AS {quote_name(name)}")
        else:
            chosen.append(f"{table}.{quote_name(name)}")
    for name in joining.columns:
        if name not in known:
            # A missing text is the empty text, as in the source's own attributes.
            empty = given[name] == "VARCHAR"
            column = f"joined.{quote_name(name)}"
            chosen.append(f"coalesce({column}, '') AS {quote_name(name)}" if empty else column)
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(chosen)} "
        f"FROM {table} LEFT JOIN joined USING ({key})"
    )


def as_kind(column: str, given: str, wanted: str) -> str:
    """A column of one kind as a value of the kind that a table has already, in SQL."""
    if given == wanted:
        return column
    if given == "DOUBLE" and wanted != "DOUBLE":
        # A whole number has no decimals, as text and as a category.
        column = f"CASE WHEN {column} = floor({column}) AND abs({column}) < 1e15 " + (
            f"THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
        )
        given = "VARCHAR"
    if given == "VARCHAR" and wanted == "VARCHAR[]":
        return f"CASE WHEN {column} <> '' THEN [{column}] END"
    if given == "VARCHAR[]" and wanted == "VARCHAR":
        return f"array_to_string({column}, ', ')"
    return f"TRY_CAST({column} AS {wanted})"
