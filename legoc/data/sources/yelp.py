"""The Yelp open dataset: businesses and star ratings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.opened import need_file
from legoc.data.formats.times import read_time
from legoc.data.staging.graded import build_graded, graded, read_grade, scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.rated import Rated, rating_source
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://www.yelp.com/dataset"
LICENCE = "The Yelp dataset is for personal, educational and academic use; no redistribution."
COLUMNS = {
    "name": "text", "categories": "texts", "city": "text", "state": "text", "address": "text",
}  # fmt: skip


@rating_source(
    "Yelp",
    page=PAGE,
    licence=LICENCE,
    attributes=(
        Attribute(name="name", kind="text", length=10),
        Attribute(name="categories", kind="category", length=5),
        Attribute(name="city", kind="category", length=1),
        Attribute(name="state", kind="category", length=1),
        Attribute(name="address", kind="text", length=10),
    ),
    content="[name, categories, city]",
)
class Yelp(Rated):
    """The Yelp open dataset: businesses with name, categories and place, and star ratings.

    The folder holds `yelp_academic_dataset_business.json` and `yelp_academic_dataset_review.json`,
    plain or as `.gz`. Older releases and re-exports (dates without time, or as milliseconds) are
    read as well.
    """

    example = 'source = Yelp("raw/yelp")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        return [
            need_file(root, [f"yelp_academic_dataset_{name}.json", f"{name}.json"], "Yelp", PAGE)
            for name in ("business", "review")
        ]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        places, reviews = self.files()
        losses = Losses()
        progress.say(f"reading {places.name} and {reviews.name}")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, COLUMNS) as staged:
            for line, place in read_json_lines(places, places.name, losses, "items"):
                staged.add(places.name, line, *read_place(place))
        with stage_log(log) as staged:
            for line, review in read_json_lines(reviews, reviews.name, losses, "reviews"):
                staged.add(
                    reviews.name, line, str(review.get("user_id") or ""),
                    str(review.get("business_id") or ""), read_grade(review.get("stars")),
                    read_time(review.get("date"), "milliseconds"),
                )  # fmt: skip
        drops = build_graded(
            connection, scan(items), scan(log), tuple(COLUMNS), neutral=self.config.neutral
        )
        return graded(self.config, (*losses.drops(), *drops), text="name")


def read_place(place: Mapping[str, Any]) -> tuple[str, str, list[str], str, str, str]:
    """Id, name, categories, city, state and address. Categories are one string with commas, a list
    in older releases, or nothing."""
    given = place.get("categories") or []
    named = given.split(",") if isinstance(given, str) else map(str, given)
    categories = [name.strip() for name in named if name.strip()]
    name, city, state, address = (
        str(place.get(key) or "").replace("\n", ", ").strip()
        for key in ("name", "city", "state", "address")
    )
    address = address or str(place.get("full_address") or "").replace("\n", ", ").strip()
    return str(place.get("business_id") or ""), name, categories, city, state, address
