"""HotelRec (Antognini and Faltings, LREC 2020): hotels by name and place, ratings."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.opened import need_file
from legoc.data.formats.times import read_time
from legoc.data.staging.first_records import OTHER, POLICY
from legoc.data.staging.graded import build_graded, graded, read_grade, scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.rated import Rated, rating_source
from legoc.data.staging.source import Extracted
from legoc.language.declaring.declare import Attribute
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/Diego999/HotelRec"
LICENCE = "HotelRec is for academic research only."
# RecBench takes up to 25 rows of each label of a user here.
ROWS = 25
# Hotel_Review-g194775-d1121769-Reviews-Hotel_Baltic-Giulianova_Abruzzo.html, with or without a
# page of reviews (-or10-).
ADDRESS = re.compile(r"Hotel_Review-(g\d+-d\d+)-Reviews-(?:or\d+-)?(.*?)(?:\.html.*)?$")


@rating_source(
    "HotelRec",
    page=PAGE,
    licence=LICENCE,
    attributes=(
        Attribute(name="name", kind="text", length=12),
        Attribute(name="location", kind="text", length=12),
    ),
    content="[name, location]",
)
class HotelRec(Rated):
    """HotelRec: hotel reviews with ratings from 1 to 5.

    The folder holds `HotelRec.txt`, plain or as `.gz`, one JSON object per line. There is no table
    of hotels: name and place are read from the address of the review, and the numbers in it
    (`g194775-d1121769`) are the hotel's id. Dates are whole months.
    """

    example = 'source = HotelRec("raw/HotelRec")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        return [need_file(Path(self.config.path), ["HotelRec.txt"], "HotelRec", PAGE)]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        (path,) = self.files()
        losses = Losses()
        progress.say(f"reading {path.name}")
        items, log = staging / "items.parquet", staging / "log.parquet"
        known: dict[str, int] = {}
        with (
            stage_items(items, {"name": "text", "location": "text"}) as hotels,
            stage_log(log) as ratings,
        ):
            for line, review in read_json_lines(path, path.name, losses, "reviews"):
                hotel = read_address(str(review.get("hotel_url") or ""))
                if hotel is None:
                    losses.add(
                        "review without the address of a hotel", "row dropped", "reviews",
                        f"{path.name}:{line}: {str(review.get('hotel_url'))[:60]}",
                    )  # fmt: skip
                    continue
                item, name, location = hotel
                text = hash((name, location))
                if item not in known:
                    known[item] = text
                    hotels.add(path.name, line, item, name, location)
                elif known[item] != text:
                    place = f"{path.name}:{line}: {item}"
                    losses.add(f"item id {OTHER}", POLICY, "items", place)
                grade = read_grade(review.get("rating"))
                ratings.add(
                    path.name, line, str(review.get("author") or ""), item,
                    None if grade is None or grade != grade else float(int(grade)),
                    read_time(review.get("date")),
                )  # fmt: skip
        drops = build_graded(
            connection, scan(items), scan(log), ("name", "location"), neutral=self.config.neutral
        )
        return graded(self.config, (*losses.drops(), *drops), text="name", rows=ROWS)


def read_address(url: str) -> tuple[str, str, str] | None:
    """Id, name and place of the hotel a review's address tells of, or None.

    A name may hold a dot or a hyphen; the place is what stands after the last hyphen. The address
    is cut at a length limit, so a place may end early.
    """
    found = ADDRESS.search(url.rsplit("/", 1)[-1])
    if found is None:
        return None
    name, _, place = found[2].rpartition("-")
    if not name:
        name, place = place, ""
    return found[1], read_words(name), read_words(place)


def read_words(text: str) -> str:
    return unquote(text).replace("_", " ").strip()
