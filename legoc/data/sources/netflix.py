"""The Netflix Prize (Bennett and Lanning, KDD Cup 2007): films and star ratings by day."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.formats.delimited import read_split
from legoc.data.formats.opened import decode, find_file, missing_file, need_file, read_lines
from legoc.data.formats.times import read_day
from legoc.data.staging.graded import build_graded, graded, scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.rated import Rated, rating_source
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://www.kaggle.com/datasets/netflix-inc/netflix-prize-data"
LICENCE = "The Netflix Prize data may not be redistributed nor used commercially."
BLOCKS = tuple(f"combined_data_{number}.txt" for number in (1, 2, 3, 4))
TITLES = ("movie_titles.csv", "movie_titles.txt")
TITLE = ("film id", "year", "title")
ENCODING = "iso-8859-1"
FILM = re.compile(r"(\d+):")
RATING = re.compile(r"(\d+),(\d+(?:\.\d+)?),(\d{4}-\d\d-\d\d)")


@rating_source(
    "Netflix",
    page=PAGE,
    licence=LICENCE,
    attributes=(
        Attribute(name="title", kind="text", length=12),
        Attribute(name="year", kind="number", length=10),
    ),
    content="[title, year]",
)
class Netflix(Rated):
    """The Netflix Prize: a hundred million ratings by day, titles and years of the films.

    The folder holds `movie_titles.csv` and `combined_data_1.txt` to `_4.txt` (Kaggle), or
    `movie_titles.txt` and `training_set/`, or `training_set.tar` as it is (the first publication).
    """

    example = 'source = Netflix("raw/netflix")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        return [need_file(root, TITLES, "the Netflix Prize", PAGE), *rating_files(root)]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        titles, *ratings = self.files()
        losses = Losses()
        progress.say(f"reading {titles.name} and {len(ratings)} files of ratings")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, {"title": "text", "year": "number"}) as staged:
            for line, (film, year, title) in read_split(
                titles, titles.name, TITLE, losses, "films", separator=",", encoding=ENCODING
            ):
                staged.add(titles.name, line, film, title, float(year) if year.isdigit() else None)
        with stage_log(log) as staged:
            for path in ratings:
                for shown, lines in open_blocks(path):
                    for line, user, film, grade, time in read_block(lines, shown, losses):
                        staged.add(shown, line, user, film, grade, time)
        drops = build_graded(
            connection, scan(items), scan(log), ("title", "year"), neutral=self.config.neutral
        )
        return graded(self.config, (*losses.drops(), *drops), text="title")


def rating_files(root: Path) -> list[Path]:
    """The files of ratings in the order of the films. All four of Kaggle's must be there."""
    if find_file(root, BLOCKS) is not None:
        return [need_file(root, [name], "the Netflix Prize", PAGE) for name in BLOCKS]
    for folder in (root / "training_set", root):
        found = sorted(folder.glob("mv_*.txt"))
        if found:
            return found
    if (root / "training_set.tar").is_file():
        return [root / "training_set.tar"]
    raise missing_file(
        root / BLOCKS[0], "the Netflix Prize", PAGE, ("training_set/", "training_set.tar")
    )


def open_blocks(path: Path) -> Iterator[tuple[str, Iterator[tuple[int, bytes]]]]:
    """Name and numbered lines of a file, or of every file of an archive in the order of names."""
    if path.suffix != ".tar":
        yield path.name, read_lines(path, path.name)
        return
    try:
        with tarfile.open(path) as archive:
            for member in sorted(archive.getmembers(), key=lambda member: member.name):
                file = archive.extractfile(member) if member.name.endswith(".txt") else None
                if file is not None:
                    yield member.name.rsplit("/", 1)[-1], enumerate(file, start=1)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise fail(
            "E0622",
            f"`{path.name}` is an archive that cannot be read to its end",
            "fetch the file again: the download was interrupted or the file is damaged",
            notes=(str(error),),
        ) from None


def read_block(
    lines: Iterator[tuple[int, bytes]], shown: str, losses: Losses
) -> Iterator[tuple[int, str, str, float | None, int | None]]:
    """Line, user, film, stars and day of every rating below the lines that name a film (`123:`)."""
    film = ""
    for number, raw in lines:
        text = decode(raw, number, shown).strip()
        if not text:
            continue
        if named := FILM.fullmatch(text):
            film = named[1]
            continue
        rating = RATING.fullmatch(text)
        if not film:
            raise fail(
                "E0621",
                f"`{shown}` line {number} is a rating before any film",
                "use the publisher's file: a line such as `123:` names the film of those below",
            )
        if rating is None:
            losses.add(
                "line that is no rating", "row dropped", "ratings",
                f"{shown}:{number}: {text[:40]}",
            )  # fmt: skip
            continue
        yield number, rating[1], film, float(rating[2]), read_day(rating[3])
