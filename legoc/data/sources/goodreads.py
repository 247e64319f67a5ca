"""Goodreads (Wan and McAuley, RecSys 2018): books by work, what users shelved, read and rated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.data.formats.opened import missing_file, need_file
from legoc.data.sources import goodreads_raw
from legoc.data.staging.graded import build_graded, graded, settings
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://cseweb.ucsd.edu/~jmcauley/datasets/goodreads.html"
LICENCE = "Goodreads is for academic use only: no redistribution, no commercial use."
WORKS = "goodreads_book_works.json"
BOOKS = "goodreads_books{}.json"
EVENTS = "goodreads_interactions{}.json"
DEDUP = "goodreads_interactions_dedup.json"
TABLE = "goodreads_interactions.csv"
BOOK_MAP = "book_id_map.csv"
USER_MAP = "user_id_map.csv"


@operator(
    "source",
    "Goodreads",
    version=1,
    paper="Goodreads",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=15),
        Attribute(name="description", kind="text", length=50),
        Attribute(name="year", kind="number", length=10),
    ),
    group="user",
    splits=("recbench", "legommenders"),
    content="[title]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "rated"},
)
class Goodreads:
    """Goodreads, of one genre or complete: works with title, description and year.

    The folder holds `goodreads_books_<genre>.json` and `goodreads_interactions_<genre>.json`, or
    the complete `goodreads_books.json` with `goodreads_interactions_dedup.json` or
    `goodreads_interactions.csv` and its two maps of ids; and `goodreads_book_works.json`. All plain
    or as `.gz`. Editions of one work are one item.
    """

    class Config:
        path: Folder = param(doc="The folder of the files.")
        genre: str = param("", doc="The genre as the files are named, where several lie there.")
        label: Literal["read", "rating"] = param(
            "read",
            doc="`read`: a book read is a click, one only shelved a non-click. `rating`: four "
            "stars and more are a click, one and two a non-click.",
        )
        negatives: int = param(0, min=0, doc="Books drawn per click of valid and test besides.")
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    example = 'source = Goodreads("raw/goodreads", genre="poetry")'
    licence = LICENCE
    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return settings(self.config)

    def files(self) -> Sequence[Path]:
        """Works, books, interactions and, for the complete table, the maps of its ids."""
        root = Path(self.config.path)
        books, events = self.choose(root)
        found = [need_file(root, [WORKS], "Goodreads", PAGE), books, events]
        if events.name.startswith(TABLE):
            found += [need_file(root, [name], "Goodreads", PAGE) for name in (BOOK_MAP, USER_MAP)]
        return found

    def choose(self, root: Path) -> tuple[Path, Path]:
        """The books and the interactions: of the genre named, of the only one, or of all."""
        if self.config.genre:
            ending = f"_{self.config.genre}"
            names = (BOOKS.format(ending), EVENTS.format(ending))
            books, events = (need_file(root, [name], "Goodreads", PAGE) for name in names)
            return books, events
        pairs = list_pairs(root)
        if not pairs:
            raise missing_file(
                root / BOOKS.format("_<genre>"), "Goodreads", PAGE,
                (EVENTS.format("_<genre>"), DEDUP, TABLE),
            )  # fmt: skip
        if len(pairs) > 1:
            named = ", ".join(f"`{name}`" if name else "the complete set" for name in pairs)
            first = next(name for name in pairs if name)
            raise fail(
                "E0620",
                f"`{root}` holds more than one Goodreads: {named}",
                f'name one of them, such as `Goodreads("{root}", genre="{first}")`',
            )
        return next(iter(pairs.values()))

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        works, books, events, *maps = self.files()
        losses = Losses()
        progress.say(f"reading {works.name}, {books.name} and {events.name} of Goodreads")
        notes = goodreads_raw.stage(
            connection, staging, (works, books, events, *maps), self.config.label, losses
        )
        neutral = 0.5 if self.config.label == "read" else 3.0
        drops = build_graded(
            connection, "listed_works", "told", ("title", "description", "year"), neutral=neutral
        )
        unused = goodreads_raw.count_unused(connection)
        return graded(self.config, (*losses.drops(), *drops, *unused), text="title", notes=notes)


def list_pairs(root: Path) -> dict[str, tuple[Path, Path]]:
    """The pairs of books and interactions in a folder by genre; "" is the complete set."""
    found: dict[str, tuple[Path, Path]] = {}
    by_name: dict[str, Path] = {}
    for path in sorted(root.glob("goodreads_*")) if root.is_dir() else ():
        by_name.setdefault(path.name.removesuffix(".gz"), path)
    complete = by_name.get(DEDUP) or by_name.get(TABLE)
    if complete is not None and BOOKS.format("") in by_name:
        found[""] = (by_name[BOOKS.format("")], complete)
    for name, path in by_name.items():
        genre = name.removeprefix("goodreads_books_").removesuffix(".json")
        events = by_name.get(EVENTS.format(f"_{genre}"))
        if name.startswith("goodreads_books_") and events is not None:
            found[genre] = (path, events)
    return found
