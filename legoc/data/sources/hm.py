"""H&M (Kaggle, 2022): purchases of clothes, with what the shop says of each article."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.formats.delimited import read_table
from legoc.data.formats.opened import find_file, need_file
from legoc.data.formats.times import read_iso
from legoc.data.staging.clicked import Clicked
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.first_records import build_users
from legoc.data.staging.graded import scan, stage_items, stage_log, stage_users
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, operator
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations"
LICENCE = "H&M: the rules of the competition hold; no redistribution."
ATTRIBUTES = (
    "prod_name", "product_type_name", "product_group_name", "graphical_appearance_name",
    "colour_group_name", "department_name", "index_name", "section_name", "garment_group_name",
    "detail_desc",
)  # fmt: skip
TEXTS = {"prod_name": 10, "detail_desc": 50}
# Re-published copies lost the zero every article id begins with.
DIGITS = 10


@operator(
    "source",
    "HM",
    version=1,
    paper="HM",
    primary="path",
    attributes=tuple(
        Attribute(
            name=name, kind="text" if name in TEXTS else "category", length=TEXTS.get(name, 1)
        )
        for name in ATTRIBUTES
    ),
    users=(
        Attribute(name="age", kind="number", length=10),
        Attribute(name="club_member_status", kind="category", length=1),
        Attribute(name="fashion_news_frequency", kind="category", length=1),
    ),
    group="user",
    splits=("recbench", "legommenders"),
    content="[detail_desc, product_type_name]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "drawn"},
)
class HM(Clicked):
    """H&M personalised fashion: who bought what on which day, without impressions.

    The folder holds `articles.csv`, `transactions_train.csv` and, if wanted, `customers.csv`, plain
    or as `.gz`. What a customer bought on one day counts as one impression, for a day is all that
    is known.
    """

    example = 'source = HM("raw/hm")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        names = ("articles.csv", "transactions_train.csv")
        found = [need_file(root, [name], "H&M", PAGE) for name in names]
        people = find_file(root, ["customers.csv"])
        return [*found, people] if people is not None else found

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        articles, sales, *people = self.files()
        losses = Losses()
        progress.say(f"reading {articles.name} and {sales.name} of H&M")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, dict.fromkeys(ATTRIBUTES, "text")) as staged:
            columns = ("article_id", *ATTRIBUTES)
            for line, (item, *values) in read_table(
                articles, articles.name, columns, losses, "items"
            ):
                staged.add(articles.name, line, pad(item), *values)
        with stage_log(log) as staged:
            columns = ("t_dat", "customer_id", "article_id")
            for line, (day, user, item) in read_table(sales, sales.name, columns, losses, "log"):
                staged.add(sales.name, line, user, pad(item), None, read_iso(day))
        drops = build_clicks(connection, scan(items), scan(log), ATTRIBUTES)
        for path in people:
            drops += add_customers(connection, path, staging / "users.parquet", losses)
        return Extracted(
            parts=(Published(name="log", labelled=True),),
            drops=(*losses.drops(), *drops),
            feedback=Feedback(
                graded=False, negatives=self.config.negatives, seed=self.config.seed,
                text="detail_desc",
            ),
            users=bool(people),
        )  # fmt: skip


def pad(item: str) -> str:
    """An article id with the zeros it begins with."""
    return item.zfill(DIGITS) if item.isdigit() else item


def add_customers(
    connection: "duckdb.DuckDBPyConnection", path: Path, target: Path, losses: Losses
) -> tuple[Drop, ...]:
    """Make the table users; what is lost of it."""
    names = ("customer_id", "club_member_status", "fashion_news_frequency", "age")
    kinds = {"club_member_status": "text", "fashion_news_frequency": "text", "age": "number"}
    with stage_users(target, kinds) as staged:
        for line, (user, club, news, age) in read_table(path, path.name, names, losses, "users"):
            place = f"{path.name}:{line}: {age[:40]}"
            staged.add(path.name, line, user, club, news, read_age(age, place, losses))
    return build_users(connection, scan(target), tuple(kinds))


def read_age(text: str, place: str, losses: Losses) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        losses.add("value that is not a number", "left empty", "users", place)
        return None
