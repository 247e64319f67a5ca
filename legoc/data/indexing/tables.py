"""The tables of a data set: Parquet files in the cache, keyed by the content they came from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.cache import digest, hash_files, obtain
from legoc.data.formats.truncation import keep_whole
from legoc.data.indexing.codes import Codes
from legoc.data.indexing.counts import survey
from legoc.data.indexing.doubts import doubt
from legoc.data.indexing.filled import check_filled, name_candidates, ranked_within
from legoc.data.indexing.repeats import count_repeats
from legoc.data.indexing.sightings import MOMENTS, PUBLISHED, SHOWINGS, view_sightings
from legoc.data.splitting.feedback import HISTORY, arrange
from legoc.data.splitting.protocols import PROTOCOLS
from legoc.data.splitting.split_files import files_of, told_of
from legoc.data.staging.empty_files import blame, find_empty
from legoc.data.staging.report import Report
from legoc.data.staging.source import Source
from legoc.language.declaring.declare import Declaration
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    import duckdb
    import pandas as pd


# Raise when the tables of the same raw files would differ from those an older version wrote.
VERSION = 7

# What DuckDB holds before it spills; the rest of a process is small beside it.
MEMORY = "2GB"

ORDERED = {
    "items": "SELECT * EXCLUDE (position) FROM items ORDER BY position",
    "histories": """
        SELECT history::VARCHAR AS history_id, user_id, clicks FROM histories
        WHERE history IN (SELECT history FROM impressions) ORDER BY history
    """,
    "interactions": """
        SELECT row_number() OVER () - 1 AS row, * FROM (
            SELECT impression_id, history::VARCHAR AS history_id, item_id, label, time, split
            FROM rows JOIN impressions USING (position) JOIN assigned USING (position)
            ORDER BY position, place
        )
    """,
}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The converted tables of one data set under one split (DATASETS section 1).

    `digest` covers the source, its version and settings, the split and the content of the raw
    files.
    """

    folder: Path
    digest: str
    report: Report

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def items(self) -> "pd.DataFrame":
        """`item_id` and one column per attribute; the place of a row plus one is its index."""
        return self.frame("items")

    def histories(self) -> "pd.DataFrame":
        """`history_id`, `user_id`, `clicks` (lists of item ids, oldest first)."""
        return self.frame("histories")

    def interactions(self) -> "pd.DataFrame":
        """`row`, `impression_id`, `history_id`, `item_id`, `label`, `time`, `split`."""
        return self.frame("interactions")

    def users(self) -> "pd.DataFrame":
        """`user_id` of every user who has a history, with the attributes the source knows."""
        with self.connect() as connection:
            known = "SELECT DISTINCT user_id FROM histories"
            if self.path("users").is_file():
                place = f"read_parquet({quote(self.path('users'))})"
                known = f"SELECT * FROM ({known}) LEFT JOIN {place} USING (user_id)"
            return connection.sql(f"{known} ORDER BY user_id").df()

    def frame(self, name: str) -> "pd.DataFrame":
        return self.relation(name).df()

    def relation(self, name: str) -> "duckdb.DuckDBPyRelation":
        """A table as a DuckDB relation, on a connection of its own that can read all of them."""
        return self.connect().table(name)

    def connect(self, spill: Path | None = None) -> "duckdb.DuckDBPyConnection":
        """A connection with a view per table; `places` has the index of each item as `place`.
        Large queries want a folder to spill into."""
        connection = open_connection(spill)
        for name in ORDERED:
            connection.execute(
                f"CREATE VIEW {name} AS SELECT * FROM read_parquet({quote(self.path(name))})"
            )
        connection.execute(
            "CREATE VIEW places AS SELECT item_id, (file_row_number + 1)::INTEGER AS place "
            f"FROM read_parquet({quote(self.path('items'))}, file_row_number = true)"
        )
        return connection

    def item_records(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """The attributes of some items (indices from 1) as the publisher wrote them, with
        `item_id`."""
        import pyarrow.parquet as pq

        table = pq.read_table(self.path("items"))
        return table.take([int(index) - 1 for index in indices]).to_pylist()


def quote(path: Path) -> str:
    """A path as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


def open_connection(spill: Path | None) -> "duckdb.DuckDBPyConnection":
    """A private DuckDB that downloads nothing and, given a folder, spills there."""
    import duckdb

    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    connection.execute("SET enable_progress_bar = false")
    if spill is not None:
        connection.execute(f"SET temp_directory = {quote(spill)}")
        connection.execute(f"SET memory_limit = '{MEMORY}'")
    return connection


def convert(
    source: Source,
    split: Call,
    root: Path,
    progress: Progress = SILENT,
    *,
    history: int = HISTORY,
    truncated: bool = False,
) -> Tables:
    """The tables of a source under a split, from the cache or made now.

    root: the cache folder. history: clicks a model reads; longer histories than HISTORY are kept
    for it where the source has none of its own. truncated: gzip files that break off are read as
    far as they are whole, and counted; tables made so are the same files' only tables, and it is
    for the caller to refuse them. Raises E062x for raw files that are missing, broken or of another
    layout; then nothing is written.
    """
    declaration: Declaration = source.declaration  # type: ignore[attr-defined]
    kept = max(history, HISTORY)
    # Published histories are kept whole, so the length a model reads changes nothing.
    longer = {"history": kept} if kept > HISTORY and getattr(source, "derived", False) else {}
    key = digest(
        {
            "version": VERSION,
            "source": [declaration.name, declaration.version, source.identity()],
            "split": [split.op, told_of(split)],
            "files": hash_files([*source.files(), *files_of(split, source)], root),
            **longer,
        }
    )

    def make(staging: Path) -> dict[str, Any]:
        report = write(source, declaration, split, staging, progress, kept, truncated)
        return {"digest": key, "report": report}

    folder, manifest = obtain(root / "tables" / key[:32], make)
    return Tables(folder=folder, digest=key, report=Report.from_json(manifest["report"]))


def write(
    source: Source,
    declaration: Declaration,
    split: Call,
    staging: Path,
    progress: Progress,
    history: int,
    truncated: bool,
) -> dict[str, Any]:
    """Write the tables into `staging`; the report as JSON."""
    import shutil

    scratch = staging / "scratch"
    scratch.mkdir()
    licence = str(declaration.facts.get("licence", ""))
    empty = find_empty(source.files())
    with blame(empty), open_connection(scratch) as connection:
        with keep_whole(truncated) as cut:
            extracted = source.extract(connection, scratch, progress)
        notes, left = arrange(connection, split, extracted, history)
        progress.say("writing the tables")
        view_sightings(connection, extracted)
        extra = {"moments": MOMENTS, "showings": SHOWINGS}
        if extracted.users:
            extra["users"] = "SELECT * FROM users ORDER BY user_id"
        if extracted.published:
            extra["published"] = PUBLISHED
        for name, query in {**ORDERED, **extra}.items():
            connection.execute(
                f"COPY ({query}) TO {quote(staging / f'{name}.parquet')} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        lines = keep_lines(connection, scratch)
    report = survey(
        staging, source=declaration.name, licence=licence,
        drops=(*empty, *cut.losses.drops(), *extracted.drops, *left),
        notes=(*extracted.notes, *notes), unit=ranked_within(extracted),
    )  # fmt: skip
    report = replace(report, notation=extracted.notation)
    with blame(empty):
        check_filled(report, extracted)
    protocol = split.op in PROTOCOLS
    again = count_repeats(
        Codes.load(staging), "impression" if protocol else report.group,
        lambda row: find_place(staging, lines, row),
    )  # fmt: skip
    shutil.rmtree(scratch)
    report = replace(
        report, drops=(*report.drops, *again), warnings=doubt(report, extracted, split),
        candidates=name_candidates(extracted, protocol), order=extracted.order,
        clock=extracted.clock,
    )  # fmt: skip
    (staging / "LICENCE.txt").write_text(licence + "\n", encoding="utf-8")
    return report.to_json()


def keep_lines(connection: "duckdb.DuckDBPyConnection", scratch: Path) -> Path | None:
    """The file and line of each impression, where the source told them, as a table on the disk: the
    connection and its memory go before anybody asks."""
    known = {name for name, *_ in connection.execute("SHOW TABLES").fetchall()}
    if not {"shown", "impressions"} <= known:
        return None
    path = scratch / "lines.parquet"
    connection.execute(
        "COPY (SELECT impressions.impression_id, shown.file, shown.line FROM shown "
        f"JOIN impressions USING (position)) TO {quote(path)} (FORMAT parquet, COMPRESSION lz4)"
    )
    return path


def find_place(staging: Path, lines: Path | None, row: int) -> str:
    """Where the raw files have a row of the interactions, and its item: the file and line of the
    impression, or where the source knows none, the user."""
    rows, histories = (staging / f"{name}.parquet" for name in ("interactions", "histories"))
    with open_connection(None) as connection:
        found = connection.execute(
            f"SELECT impression_id, item_id, user_id FROM read_parquet({quote(rows)}) AS rows "
            f"LEFT JOIN read_parquet({quote(histories)}) USING (history_id) WHERE rows.row = $1",
            [row],
        ).fetchone()
        impression, item, user = found or ("", "", "")
        line = None
        if lines is not None:
            line = connection.execute(
                f"SELECT file || ':' || line FROM read_parquet({quote(lines)}) "
                "WHERE impression_id = $1", [impression],
            ).fetchone()  # fmt: skip
    return f"user {user}: {item}" if line is None else f"{line[0]}: {item}"
