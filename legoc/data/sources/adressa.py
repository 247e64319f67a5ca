"""Adressa (Gulla et al., WI 2017): Norwegian news as a stream of events."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.opened import missing_file
from legoc.data.formats.times import read_epoch
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.graded import scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://reclab.idi.ntnu.no/dataset"
LICENCE = "Adressa is for research; its terms are on the publisher's page."
# The parts of the publisher's readers: the users of which share of the last unit are valid.
VALID_SHARE = 0.2
# Files of one day, such as 20170101, without an ending.
DAY = re.compile(r"\d{8}(\.gz)?")
VIEWS = {"train": ("history",), "valid": ("history", "train"), "test": ("history", "train")}


@dataclass(frozen=True, kw_only=True)
class Article:
    """What the events say of an article, and where the first of them stands."""

    file: str
    line: int
    title: str
    category: str
    subcategory: str
    keywords: tuple[str, ...]


@operator(
    "source",
    "Adressa",
    version=1,
    paper="Adressa",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="subcategory", kind="category", length=1),
        Attribute(name="keywords", kind="category", length=5),
    ),
    group="user",
    content="[title, category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "drawn", "parts": "parts"},
)
class Adressa:
    """Adressa, one week or three months: clicks on articles, without impressions.

    The folder holds the unpacked archive: files of one day (`20170101`), plain or as `.gz`, in
    folders of any depth. Events of the front page name no article and are left out. With `parts`
    the clicks of the last day (or week) are test, those of a fifth of its users valid; the day
    before it trains, and all days before a part are its histories, as in newsreclib.
    """

    class Config:
        path: Folder = param(doc="The folder of the unpacked archive.")
        parts: Literal["days", "weeks"] | None = param(
            None, since=True, doc="What the parts of the publisher's split are made of."
        )
        negatives: int = param(20, min=0, doc="Articles drawn per click of valid and test.")
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    example = 'source = Adressa("raw/one_week")'
    licence = LICENCE
    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in ("parts", "negatives", "seed")}

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        found = [p for p in root.rglob("*") if DAY.fullmatch(p.name) and p.is_file()]
        if not found:
            raise missing_file(root / "20170101", "Adressa", PAGE)
        return sorted(found, key=lambda path: (path.name, path.as_posix()))

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        days, losses, left = self.files(), Losses(), 0
        items, log = staging / "items.parquet", staging / "log.parquet"
        kinds = {"title": "text", "category": "text", "subcategory": "text", "keywords": "texts"}
        articles: dict[str, Article] = {}
        with (
            progress.task("reading", len(days), "days of Adressa") as task,
            stage_log(log) as staged,
        ):
            for path in days:
                for line, event in read_json_lines(path, path.name, losses, "log"):
                    item = str(event.get("id") or "")
                    if not item:
                        left += 1
                        continue
                    note_article(articles, item, event, path.name, line, losses)
                    user, time = event.get("userId"), read_epoch(event.get("time") or "")
                    staged.add(path.name, line, str(user or ""), item, None, time)
                task.advance()
        with stage_items(items, kinds) as listed:
            for item, article in articles.items():
                listed.add(
                    article.file, article.line, item, article.title, article.category,
                    article.subcategory, article.keywords,
                )  # fmt: skip
        apart = self.config.parts is not None
        drops = build_clicks(
            connection, scan(items), scan(log), tuple(kinds),
            part=part_of([path.name[:8] for path in days], self.config.parts),
        )  # fmt: skip
        if apart:
            hold_users(connection, self.config.seed)
        ruled = (
            Drop(reason="event without an article", policy="left out", part="log", count=left),
        )
        return Extracted(
            parts=tuple(Published(name=n, labelled=True) for n in (VIEWS if apart else ("log",))),
            drops=(*losses.drops(), *(ruled if left else ()), *drops),
            feedback=Feedback(
                graded=False, negatives=self.config.negatives, seed=self.config.seed,
                text="title", views=VIEWS if apart else {},
            ),
        )  # fmt: skip


def part_of(days: Sequence[str], parts: str | None) -> str:
    """The part of an event in SQL, by the day in the name of its file. E0623 for too few units."""
    if parts is None:
        return "'log'"
    units: dict[tuple[int, ...], str] = {}
    for day in days:
        moment = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        unit = moment.isocalendar()[:2] if parts == "weeks" else moment.timetuple()[:3]
        units.setdefault(tuple(unit), day)
    if len(units) < 3:
        raise fail(
            "E0623",
            f"`parts = {parts}` needs three {parts} of Adressa or more, and here "
            f"{'is' if len(units) == 1 else 'are'} {len(units)}",
            "name the folder of the whole archive, or write `split = time` and leave `parts` out",
        )
    *_, train, test = units.values()
    return (
        f"CASE WHEN left(file, 8) >= '{test}' THEN 'test' "
        f"WHEN left(file, 8) >= '{train}' THEN 'train' ELSE 'history' END"
    )


def hold_users(connection: "duckdb.DuckDBPyConnection", seed: int) -> None:
    """Make a share of the test users valid, chosen by a hash of their ids."""
    connection.execute(
        f"""
        UPDATE feedback SET part = 'valid' WHERE part = 'test' AND user_id IN (
            SELECT user_id FROM (
                SELECT user_id, count(*) OVER () AS n,
                       row_number() OVER (ORDER BY md5('{seed}/' || user_id), user_id) AS place
                FROM (SELECT DISTINCT user_id FROM feedback WHERE part = 'test')
            ) WHERE place <= round({VALID_SHARE} * n)
        )
        """
    )


def note_article(
    articles: dict[str, Article],
    item: str,
    event: Mapping[str, Any],
    file: str,
    line: int,
    losses: Losses,
) -> None:
    """Remember what an event says of its article: the first title stays, and what the first events
    leave out is taken from later ones."""
    title = str(event.get("title") or "").strip()
    # Such as `nyheter|trondheim`.
    category, _, subcategory = str(event.get("category1") or "").partition("|")
    words = [word.strip() for word in str(event.get("keywords") or "").split(",")]
    found = Article(
        file=file, line=line, title=title, category=category, subcategory=subcategory,
        keywords=tuple(word for word in words if word),
    )  # fmt: skip
    known = articles.get(item)
    if known is None:
        articles[item] = found
        return
    if title and known.title and title != known.title:
        place = f"{file}:{line}: {item}"
        losses.add("article with another title", "first title kept", "log", place)
    if not (known.title and known.category and known.keywords):
        articles[item] = replace(
            known,
            title=known.title or found.title,
            category=known.category or found.category,
            subcategory=known.subcategory or found.subcategory,
            keywords=known.keywords or found.keywords,
        )
