"""What the tables of a folder seem to be: their files, their columns, how text in them is laid out.

For `legoc new --from` alone: a guess is written down for the user to read, and nothing else
guesses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.typing.columns import divided_by, header_names, open_text
from legoc.language.typing.table_columns import CONVENTION
from legoc.language.typing.table_files import (
    Dialect,
    TableFile,
    find_tables,
    format_of,
    missing_table,
    tables_of,
    whole_file,
)


# How columns are called elsewhere, in lower case; the first that is there is taken.
KNOWN = {
    "item": ("item_id", "itemid", "item", "iid", "news_id", "newsid", "nid", "article_id",
             "articleid", "movie_id", "movieid", "video_id", "videoid", "book_id", "bookid",
             "product_id", "productid", "sku", "parent_asin", "asin", "track_id", "song_id",
             "business_id", "content_id", "id"),
    "user": ("user_id", "userid", "user", "uid", "customer_id", "customerid", "customer",
             "reviewer_id", "reviewerid", "reader_id", "visitor_id", "visitorid", "member_id",
             "account_id", "client_id"),
    "time": ("time", "timestamp", "datetime", "date", "ts", "event_time", "created_at", "t_dat",
             "unixreviewtime", "click_time", "bought_at", "at"),
    "label": ("label", "click", "clicked", "is_click", "is_clicked", "target"),
    "rating": ("rating", "ratings", "stars", "score", "overall", "review_score"),
    "impression": ("impression_id", "impressionid", "impression", "imp_id", "request_id"),
    "history": ("history_id", "historyid"),
    "clicks": ("clicks", "history", "clicked_items"),
    "split": ("split", "part", "fold", "subset"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Guess:
    """args: the settings of `Tables` that differ from their defaults. names: the columns of each
    table that was found."""

    args: dict[str, Any] = field(default_factory=dict[str, Any])
    names: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])


def guess_tables(folder: Path, defaults: Mapping[str, Any]) -> Guess:
    """The settings that read a folder. Raises E0620 where it holds no items or no interactions.

    defaults: every setting of `Tables` as it is where nothing is said.
    """
    args = {**defaults, "path": str(folder)}
    told: dict[str, Any] = {}
    if not folder.is_dir():
        raise missing_table(folder, "items")
    candidates = all_files(folder)
    told |= guess_dialect(candidates)
    dialect = Dialect(delimiter=told.get("delimiter"), encoding=told.get("encoding", "utf-8"))
    files = dict(find_tables({**args, **told}))
    taken = {file.path for group in files.values() for file in group}
    free = {
        path: names
        for path, group in candidates.items()
        if not taken & {file.path for file in group}
        and (names := header_names(group, dialect)) is not None
    }
    for table in ("interactions", "items"):
        if table not in files:
            path = choose(table, free)
            if path is None:
                raise missing_table(folder, table)
            files[table] = tuple(candidates[path])
            told[table] = (path.name,)
            del free[path]
    names = {table: header_names(group, dialect) or [] for table, group in files.items()}
    return Guess(args=told | guess_columns(names), names=names)


def all_files(folder: Path) -> dict[Path, list[TableFile]]:
    """The files, and the folders of parts, that may be tables."""
    found: dict[Path, list[TableFile]] = {}
    for path in tables_of(folder):
        try:
            found[path] = whole_file(path, folder)
        except LegoError:
            continue
    return found


def guess_dialect(candidates: Mapping[Path, Sequence[TableFile]]) -> dict[str, Any]:
    """The delimiter and the encoding that delimited text has, where they are not the usual ones."""
    told: dict[str, Any] = {}
    for file in (file for group in candidates.values() for file in group):
        if format_of(file.path) not in (".csv", ".tsv", ".jsonl", ".json"):
            continue
        with file.path.open("rb") as raw:
            head = raw.read(1 << 20)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            told["encoding"] = "utf-16"
        elif file.path.suffix != ".gz" and not is_utf8(head):
            told.setdefault("encoding", "cp1252")
        if file.format in (".csv", ".tsv"):
            with open_text(file.path, told.get("encoding", "utf-8")) as lines:
                first = next((line.strip() for line in lines if line.strip()), "")
            own = Dialect().sign(file.format)
            sign = None if own in first else divided_by([first], own)
            if sign is not None:
                told["delimiter"] = sign
    return told


def is_utf8(head: bytes) -> bool:
    """Whether bytes are UTF-8; a character that the end cuts off is none that counts."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) - error.start < 4 and len(head) == 1 << 20
    return True


def choose(table: str, free: Mapping[Path, Sequence[str]]) -> Path | None:
    """The file that looks like a table: interactions name users and items, items no users."""
    fits: list[tuple[int, str, Path]] = []
    for path, names in free.items():
        item, user = (find(meaning, names) is not None for meaning in ("item", "user"))
        if item and user == (table == "interactions"):
            told = sum(find(m, names) is not None for m in ("time", "label", "rating"))
            fits.append((-told if table == "interactions" else -len(names), path.name, path))
    return min(fits)[2] if fits else None


def find(meaning: str, names: Sequence[str]) -> str | None:
    """The column of a meaning, by the names it has elsewhere."""
    folded = {name.lower(): name for name in reversed(names)}
    return next((folded[name] for name in KNOWN[meaning] if name in folded), None)


def guess_columns(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The settings that name columns which are not called by the convention."""
    told: dict[str, str] = {}
    log = names["interactions"]
    shared = [name for name in log if name in names["items"]]
    for meaning, usual in CONVENTION.items():
        where = names.get("histories", ()) if meaning == "clicks" else log
        found = find(meaning, where)
        if meaning == "item":
            # What both tables share is the id, whatever it is called.
            found = find("item", shared) or (shared[0] if len(shared) == 1 else found)
        if found is not None and found != usual and usual not in where:
            told[meaning] = found
    return told
