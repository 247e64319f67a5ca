"""MovieLens (Harper and Konstan, TiiS 2015): films, star ratings, in its three layouts."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from legoc.data.formats.delimited import read_split, read_table
from legoc.data.formats.opened import find_file, missing_file, need_file
from legoc.data.formats.times import read_epoch
from legoc.data.staging.first_records import build_users
from legoc.data.staging.graded import (
    build_graded,
    graded,
    read_grade,
    scan,
    stage_items,
    stage_log,
    stage_users,
)
from legoc.data.staging.losses import Losses
from legoc.data.staging.rated import Rated, rating_source
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://grouplens.org/datasets/movielens"
LICENCE = (
    "MovieLens may be used for research with citation; no commercial use without permission, and "
    "the 100K and 1M sets may not be redistributed."
)
# The layouts by their file of ratings: latest-small, 20M and 25M; 1M; 100K.
LAYOUTS = {
    "ratings.csv": "movies.csv",
    "ratings.dat": "movies.dat",
    "u.data": "u.item",
}
USERS = {"ratings.dat": "users.dat", "u.data": "u.user"}
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip
NO_GENRES = "(no genres listed)"
FILM = ("movie id", "title", "release date", "video date", "url", *GENRES)
OLD_ENCODING = "iso-8859-1"
YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")

Film = tuple[str, int, str, str, float | None, list[str]]
Person = tuple[str, str, float | None, str]


@rating_source(
    "MovieLens",
    page=PAGE,
    licence=LICENCE,
    attributes=(
        Attribute(name="title", kind="text", length=12),
        Attribute(name="genres", kind="category", length=3),
        Attribute(name="year", kind="number", length=10),
    ),
    users=(
        Attribute(name="gender", kind="category", length=1),
        Attribute(name="age", kind="number", length=7),
        Attribute(name="occupation", kind="category", length=1),
    ),
    content="[title, genres]",
    parts="fold",
)
class MovieLens(Rated):
    """MovieLens, any of its sets: latest-small, 20M, 25M (CSV), 1M (`::`) and 100K (tabs).

    The folder holds `ratings.csv` and `movies.csv`, or `ratings.dat` and `movies.dat`, or `u.data`
    and `u.item`. A rating above `neutral` is a click, one below a non-click. The attributes of
    users are those of 1M and 100K. A `fold` of 100K, such as `u1.base` and `u1.test`, is split as
    its publisher does; held-out ratings are in no history.
    """

    class Config(Rated.Config):
        fold: Literal["u1", "u2", "u3", "u4", "u5", "ua", "ub"] | None = param(
            None,
            since=True,
            doc="A fold of 100K, read in place of `u.data`; its parts are the publisher's.",
        )

    example = 'source = MovieLens("raw/ml-latest-small")'
    licence = LICENCE

    def layout(self) -> str:
        """The name of the file of ratings."""
        root, fold = Path(self.config.path), self.config.fold
        if fold is not None:
            if find_file(root, [f"{fold}.base"]) is None and find_file(root, ["u.item"]) is None:
                raise fail(
                    "E0620",
                    f"`{root / f'{fold}.base'}` is missing",
                    "folds are part of MovieLens 100K: name its folder, or leave `fold` out",
                )
            return "u.data"
        for name in LAYOUTS:
            if find_file(root, [name]) is not None:
                return name
        raise missing_file(root / "ratings.csv", "MovieLens", PAGE, ("ratings.dat", "u.data"))

    def files(self) -> Sequence[Path]:
        root, layout = Path(self.config.path), self.layout()
        people = find_file(root, [USERS[layout]]) if layout in USERS else None
        return [
            *self.ratings(layout), need_file(root, [LAYOUTS[layout]], "MovieLens", PAGE),
            *([] if people is None else [people]),
        ]  # fmt: skip

    def ratings(self, layout: str) -> list[Path]:
        """The files of ratings: one, or the two parts of a fold."""
        fold = self.config.fold
        names = [layout] if fold is None else [f"{fold}.base", f"{fold}.test"]
        return [need_file(Path(self.config.path), [name], "MovieLens", PAGE) for name in names]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        layout, fold = self.layout(), self.config.fold
        rated = self.ratings(layout)
        films, *people = self.files()[len(rated) :]
        losses = Losses()
        named = [path.name for path in (*rated, films)]
        progress.say(f"reading {', '.join(named[:-1])} and {named[-1]} of MovieLens")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, {"title": "text", "year": "number", "genres": "texts"}) as staged:
            for name, line, item, title, year, genres in read_films(layout, films, losses):
                staged.add(name, line, item, title, year, genres)
        with stage_log(log) as staged:
            for path in rated:
                for line, (user, item, grade, time) in read_ratings(layout, path, losses):
                    staged.add(path.name, line, user, item, read_grade(grade), read_epoch(time))
        drops = build_graded(
            connection, scan(items), scan(log), ("title", "year", "genres"),
            neutral=self.config.neutral,
            part="'log'" if fold is None else f"if(file LIKE '{fold}.test%', 'test', 'train')",
        )  # fmt: skip
        for path in people:
            target = staging / "users.parquet"
            kinds = {"gender": "text", "age": "number", "occupation": "text"}
            with stage_users(target, kinds) as staged:
                for line, person in read_people(layout, path, losses):
                    staged.add(path.name, line, *person)
            drops += build_users(connection, scan(target), tuple(kinds))
        return graded(
            self.config, (*losses.drops(), *drops), text="title", users=bool(people),
            parts=("log",) if fold is None else ("train", "test"),
            # What is held out was chosen without regard to time: it may not be remembered.
            views=None if fold is None else {"train": ("train",), "test": ("train",)},
        )  # fmt: skip


def read_films(layout: str, path: Path, losses: Losses) -> Iterator[Film]:
    """File, line, id, title, year and genres of every film."""
    name = path.name
    if layout == "u.data":
        for line, fields in read_split(
            path, name, FILM, losses, "films", separator="|", encoding=OLD_ENCODING
        ):
            item, title, date, _, _, *flags = fields
            named = [genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1"]
            # The year is missing from some titles and stands in the date as well: 01-Jan-1995.
            year = read_year(title) or read_grade(date[-4:])
            yield name, line, item, title, year, [g for g in named if g != "unknown"]
        return
    if layout == "ratings.dat":
        columns = ("movie id", "title", "genres")
        pairs: Iterator[tuple[int, Sequence[str]]] = read_split(
            path, name, columns, losses, "films", separator="::", encoding=OLD_ENCODING
        )
    else:
        pairs = read_table(path, name, ("movieId", "title", "genres"), losses, "films")
    for line, (item, title, genres) in pairs:
        listed = [] if genres in ("", NO_GENRES) else genres.split("|")
        yield name, line, item, title, read_year(title), listed


def read_ratings(layout: str, path: Path, losses: Losses) -> Iterator[tuple[int, Sequence[str]]]:
    """Line, and user, film, stars and time of every rating, as text."""
    columns = ("userId", "movieId", "rating", "timestamp")
    if layout == "ratings.csv":
        yield from read_table(path, path.name, columns, losses, "ratings")
        return
    separator = "::" if layout == "ratings.dat" else "\t"
    yield from read_split(path, path.name, columns, losses, "ratings", separator=separator)


def read_people(layout: str, path: Path, losses: Losses) -> Iterator[tuple[int, Person]]:
    """Line, and id, gender, age and occupation of every user of 1M or 100K."""
    if layout == "ratings.dat":
        columns = ("user id", "gender", "age", "occupation", "zip code")
        for line, (user, gender, age, work, _code) in read_split(
            path, path.name, columns, losses, "users", separator="::", encoding=OLD_ENCODING
        ):
            yield line, (user, gender, read_grade(age), work)
        return
    columns = ("user id", "age", "gender", "occupation", "zip code")
    for line, (user, age, gender, work, _code) in read_split(
        path, path.name, columns, losses, "users", separator="|", encoding=OLD_ENCODING
    ):
        yield line, (user, gender, read_grade(age), work)


def read_year(title: str) -> float | None:
    """The year in brackets at the end of a title."""
    found = YEAR.search(title)
    return float(found[1]) if found else None
