"""Amazon reviews (McAuley et al., SIGIR 2015; Ni et al., EMNLP 2019; Hou et al., 2024): books, CDs,
electronics, in the releases of 2014, 2018 and 2023."""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.opened import find_file, need_file
from legoc.data.formats.times import read_american, read_epoch
from legoc.data.staging.graded import build_graded, graded, read_grade, scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.rated import Rated, rating_source
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://nijianmo.github.io/amazon"
LICENCE = "The Amazon reviews come without a stated licence: research use, with citation."
ATTRIBUTES = (
    Attribute(name="title", kind="text", length=20),
    Attribute(name="description", kind="text", length=50),
    Attribute(name="brand", kind="category", length=1),
    Attribute(name="categories", kind="category", length=3),
)
COLUMNS = {"title": "text", "description": "text", "brand": "text", "categories": "texts"}
# A tag, also one that the end of the value cuts off; a lone "<" is text.
TAG = re.compile(r"</?[A-Za-z][^>]*(?:>|$)")
BLANKS = re.compile(r"\s+")


class Amazon(Rated):
    """What the three categories share; `category` is the publisher's name of one."""

    category = ""
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        """The items, then the reviews. The 5-core reviews come first where both lie there. E0620
        where the files are of two releases: an id of one may be another thing in the other."""
        name, root = self.category, Path(self.config.path)
        reviews = {
            f"meta_{name}.json": [f"{name}_5.json", f"reviews_{name}_5.json", f"{name}.json",
                                  f"reviews_{name}.json"],
            f"meta_{name}.jsonl": [f"{name}.jsonl"],
        }  # fmt: skip
        there = [meta for meta in reviews if find_file(root, [meta]) is not None]
        if len(there) > 1:
            raise fail(
                "E0620",
                f"`{root}` holds items of two releases: `{there[0]}` and `{there[1]}`",
                "keep the files of one release in a folder of their own",
            )
        meta = there[0] if there else f"meta_{name}.json"
        data = f"the reviews of {name}"
        others = [] if there else [f"meta_{name}.jsonl"]
        return [
            need_file(root, [meta, *others], data, PAGE),
            need_file(root, reviews[meta], data, PAGE),
        ]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        meta, reviews = self.files()
        losses = Losses()
        progress.say(f"reading {meta.name} and {reviews.name}")
        items, log = staging / "items.parquet", staging / "log.parquet"
        replaced = 0
        with stage_items(items, COLUMNS) as staged:
            for line, item in read_json_lines(meta, meta.name, losses, "items"):
                record = read_item(item)
                replaced += bool(item.get("title")) and record[0] != clean(item["title"])
                staged.add(meta.name, line, first(item, "parent_asin", "asin"), *record)
        with stage_log(log) as staged:
            for line, review in read_json_lines(reviews, reviews.name, losses, "reviews"):
                staged.add(
                    reviews.name, line, first(review, "reviewerID", "user_id"),
                    first(review, "parent_asin", "asin"),
                    whole(review.get("overall", review.get("rating"))), read_moment(review),
                )  # fmt: skip
        drops = [
            *losses.drops(),
            *build_graded(
                connection, scan(items), scan(log), tuple(COLUMNS), neutral=self.config.neutral
            ),
        ]
        if replaced:
            drops.append(
                Drop(
                    reason="title of nothing but markup", policy="another attribute in its place",
                    part="log", count=replaced,
                )
            )  # fmt: skip
        return graded(
            self.config, drops, text="title", notes=(f"the reviews are those of {reviews.name}",)
        )


def read_item(item: Mapping[str, Any]) -> tuple[str, str, str, list[str]]:
    """Title, description, brand (2023: the shop) and categories, as the releases write them.

    A title of nothing but markup is replaced by the brand, the narrowest category or the
    description, whichever is there.
    """
    categories = item.get("category") or item.get("categories") or []
    if isinstance(categories, str):
        categories = [categories]
    if categories and isinstance(categories[0], list):
        # 2014 lists whole paths; the first is the main one.
        categories = categories[0]
    named = [name for each in categories if (name := clean(each))]
    described = item.get("description") or ""
    if isinstance(described, list):
        described = " ".join(map(str, described))
    description, brand = clean(described), clean(item.get("brand") or item.get("store"))
    title = clean(item.get("title"))
    if not title and item.get("title"):
        title = brand or (named[-1] if named else "") or description
    return title, description, brand, named


def clean(value: object) -> str:
    """Text without tags, entities and runs of blanks."""
    if value is None:
        return ""
    return BLANKS.sub(" ", TAG.sub(" ", html.unescape(TAG.sub(" ", str(value))))).strip()


def text(value: object) -> str:
    return "" if value is None else str(value)


def first(record: Mapping[str, Any], *names: str) -> str:
    """The first of several keys that a record has: 2023 calls things by other names, and reviews
    a thing in its variants under one id, that of the parent."""
    return next((text(value) for name in names if (value := record.get(name)) is not None), "")


def whole(value: object) -> float | None:
    """A rating cut to a whole number, as RecBench reads it."""
    found = read_grade(value)
    return None if found is None or found != found else float(int(found))


def read_moment(review: Mapping[str, Any]) -> int | None:
    """The time of a review, from its milliseconds (2023), its seconds or its date
    (`06 17, 2018`)."""
    if "timestamp" in review:
        return read_epoch(review["timestamp"], "milliseconds")
    found = read_epoch(review["unixReviewTime"]) if "unixReviewTime" in review else None
    return found if found is not None else read_american(text(review.get("reviewTime")))


@rating_source(
    "AmazonBooks",
    paper="Amazon",
    page=PAGE,
    licence=LICENCE,
    attributes=ATTRIBUTES,
    content="[title]",
)
class AmazonBooks(Amazon):
    """Amazon reviews of books, of the releases of 2023, 2018 and 2014.

    The folder holds `meta_Books.json` and `Books_5.json` or `Books.json` (2014:
    `reviews_Books_5.json`; 2023: `meta_Books.jsonl` and `Books.jsonl`), plain
    or as `.gz`. Four stars and more are a click, two and fewer a non-click.
    """

    example = 'source = AmazonBooks("raw/amazon")'
    category = "Books"


@rating_source(
    "AmazonCDs",
    paper="Amazon",
    page=PAGE,
    licence=LICENCE,
    attributes=ATTRIBUTES,
    content="[title]",
)
class AmazonCDs(Amazon):
    """Amazon reviews of CDs and vinyl, of the releases of 2023, 2018 and 2014.

    The folder holds `meta_CDs_and_Vinyl.json` and `CDs_and_Vinyl_5.json` or `CDs_and_Vinyl.json`
    (2014: `reviews_CDs_and_Vinyl_5.json`; 2023: `meta_CDs_and_Vinyl.jsonl` and
    `CDs_and_Vinyl.jsonl`), plain or as `.gz`. Four stars and more are a click, two and fewer a
    non-click.
    """

    example = 'source = AmazonCDs("raw/amazon")'
    category = "CDs_and_Vinyl"


@rating_source(
    "AmazonElectronics",
    paper="Amazon",
    page=PAGE,
    licence=LICENCE,
    attributes=ATTRIBUTES,
    content="[title]",
)
class AmazonElectronics(Amazon):
    """Amazon reviews of electronics, of the releases of 2023, 2018 and 2014.

    The folder holds `meta_Electronics.json` and `Electronics_5.json` or `Electronics.json` (2014:
    `reviews_Electronics_5.json`; 2023: `meta_Electronics.jsonl` and `Electronics.jsonl`), plain
    or as `.gz`. Four stars and more are a click, two and fewer a non-click.
    """

    example = 'source = AmazonElectronics("raw/amazon")'
    category = "Electronics"
