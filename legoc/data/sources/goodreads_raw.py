"""Works, editions and interactions of Goodreads, staged and joined through the work.

`best_book_id` names one edition of a work; interactions name any. Each edition's record names its
work, so nothing is lost when that joins them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.delimited import read_table
from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.times import read_stamp
from legoc.data.staging.graded import scan, stage_log
from legoc.data.staging.losses import Losses, count_rule
from legoc.data.staging.report import Drop
from legoc.data.staging.staged import Staged


if TYPE_CHECKING:
    import duckdb


WORKS = {"file": "text", "line": "integer", "work_id": "text", "best": "text", "title": "text",
         "year": "number"}  # fmt: skip
BOOKS = {"file": "text", "line": "integer", "book_id": "text", "work_id": "text", "title": "text",
         "description": "text"}  # fmt: skip
# The header of the complete table, whose ids are numbers of their own.
TABLE = ("user_id", "book_id", "is_read", "rating")

# The editions of a work: the best one first, then in the order of the file. A book whose record
# names no work is one by itself.
EDITIONS = """
CREATE TABLE editions AS
SELECT position, file, line, book_id, title, description,
       CASE WHEN work_id = '' THEN 'book/' || book_id ELSE work_id END AS work_id
FROM {books} WHERE book_id <> ''
"""

LISTED = """
CREATE TABLE listed_works AS
SELECT coalesce(w.position, first.position + {far}) AS position,
       coalesce(w.file, first.file) AS file, coalesce(w.line, first.line) AS line,
       work_id AS item_id,
       coalesce(nullif(w.title, ''), first.title, '') AS title,
       coalesce(first.description, '') AS description, w.year AS year
FROM all_works AS w
FULL JOIN (
    SELECT work_id, min(e.position) AS position, arg_min(file, e.position) AS file,
           arg_min(line, e.position) AS line,
           arg_min(e.title, (e.book_id <> best, e.position)) FILTER (WHERE e.title <> '') AS title,
           arg_min(description, (e.book_id <> best, e.position))
               FILTER (WHERE description <> '') AS description
    FROM editions AS e LEFT JOIN (
        SELECT work_id, min(best) AS best FROM all_works GROUP BY work_id
    ) USING (work_id)
    GROUP BY work_id
) AS first USING (work_id)
WHERE work_id IN (SELECT work_id FROM editions)
"""

# Works follow the order of their file, single books come behind: beyond any row number.
FAR = 1 << 40

TOLD = """
CREATE VIEW told AS
SELECT l.position, l.file, l.line, {user} AS user_id, e.work_id AS item_id, grade, time
FROM (SELECT * FROM {log} WHERE grade IS NULL OR NOT unrated) AS l {maps}
LEFT JOIN (SELECT DISTINCT ON (book_id) book_id, work_id FROM editions ORDER BY book_id, position)
    AS e ON e.book_id = {book}
"""


def stage(
    connection: "duckdb.DuckDBPyConnection",
    staging: Path,
    files: tuple[Path, ...],
    label: str,
    losses: Losses,
) -> tuple[str, ...]:
    """Make listed_works and told out of the files; what a reader should know.

    files: works, books, interactions, and for the complete table its maps of books and users.
    """
    works, books, events, *maps = files
    staged = {name: staging / f"{name}.parquet" for name in ("works", "books", "log")}
    with Staged(staged["works"], WORKS) as target:
        for line, work in read_json_lines(works, works.name, losses, "works"):
            target.add(
                works.name, line, text(work, "work_id"), text(work, "best_book_id"),
                text(work, "original_title"), year(text(work, "original_publication_year")),
            )  # fmt: skip
    with Staged(staged["books"], BOOKS) as target:
        for line, book in read_json_lines(books, books.name, losses, "books"):
            title = text(book, "title_without_series") or text(book, "title")
            target.add(
                books.name, line, text(book, "book_id"), text(book, "work_id"), title,
                text(book, "description"),
            )  # fmt: skip
    with stage_log(staged["log"]) as target:
        rows = read_table_events(events, losses) if maps else read_events(events, losses)
        for line, user, book, read, stars, time in rows:
            target.add(events.name, line, user, book, grade(read, stars, label), time)
    connection.execute(EDITIONS.format(books=scan(staged["books"])))
    connection.execute(f"CREATE VIEW all_works AS SELECT * FROM {scan(staged['works'])}")
    connection.execute(LISTED.format(far=FAR))
    names = {"user": "l.user_id", "book": "l.item_id", "maps": ""}
    if maps:
        names = stage_maps(staging, maps, losses)
    unrated = "grade = 0" if label == "rating" else "false"
    log = f"(SELECT *, {unrated} AS unrated FROM {scan(staged['log'])})"
    connection.execute(f"CREATE VIEW shelved AS SELECT * FROM {log}")
    connection.execute(TOLD.format(log="shelved", **names))
    return ("the table has no dates: its order is taken for time",) if maps else ()


def stage_maps(staging: Path, maps: list[Path], losses: Losses) -> dict[str, str]:
    """The published ids behind the numbers of the complete table, as parts of the join."""
    joins: list[str] = []
    for path, key in zip(maps, ("book_id", "user_id"), strict=True):
        target = staging / f"{key}_map.parquet"
        with Staged(target, {"number": "text", "name": "text"}) as staged:
            for _, (number, name) in read_table(
                path, path.name, (f"{key}_csv", key), losses, "maps"
            ):
                staged.add(number, name)
        column = "item_id" if key == "book_id" else "user_id"
        joins.append(f"LEFT JOIN {scan(target)} AS {key} ON {key}.number = l.{column}")
    return {"user": "user_id.name", "book": "book_id.name", "maps": " ".join(joins)}


def count_unused(connection: "duckdb.DuckDBPyConnection") -> tuple[Drop, ...]:
    """Interactions without stars, which `label=rating` leaves out, and works of other genres."""
    return count_rule(
        connection,
        "book without a rating",
        "row dropped",
        "SELECT count(*) FROM shelved WHERE unrated",
    ) + count_rule(
        connection,
        "work without an edition among the books",
        "dropped",
        "SELECT count(*) FROM all_works WHERE work_id NOT IN (SELECT work_id FROM editions)",
    )


Event = tuple[int, str, str, bool | None, float | None, int | None]


def read_events(path: Path, losses: Losses) -> Iterator[Event]:
    """Line, user, book, read, stars and time of the JSON interactions."""
    for line, event in read_json_lines(path, path.name, losses, "interactions"):
        read, stars = event.get("is_read"), event.get("rating")
        yield (
            line, text(event, "user_id"), text(event, "book_id"),
            read if isinstance(read, bool) else None,
            float(stars) if isinstance(stars, int | float) else None,
            read_stamp(text(event, "date_added")),
        )  # fmt: skip


def read_table_events(path: Path, losses: Losses) -> Iterator[Event]:
    """The same of the complete table, whose order stands for time."""
    for line, (user, book, read, stars) in read_table(
        path, path.name, TABLE, losses, "interactions"
    ):
        known = {"0": False, "1": True}.get(read)
        yield line, user, book, known, float(stars) if stars.isdigit() else None, line * 1_000_000


def grade(read: bool | None, stars: float | None, label: str) -> float | None:
    if label == "rating":
        return stars
    return None if read is None else float(read)


def text(record: Mapping[str, Any], key: str) -> str:
    """A value as text: works write even numbers as strings, with "" for what is missing."""
    value = record.get(key)
    return "" if value is None else str(value)


def year(given: str) -> float | None:
    """A year of publication; years before our era are negative."""
    return float(given) if given.lstrip("-").isdigit() else None
