"""POG (Chen et al., KDD 2019): Alibaba iFashion, clicks on pieces of clothing, in Chinese."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.formats.delimited import read_split
from legoc.data.formats.opened import need_file
from legoc.data.staging.clicked import Clicked
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.graded import scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, operator, param
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/wenyuer/POG"
LICENCE = "POG states no licence; cite the paper."
ITEM = ("item id", "category", "picture", "title")
USER = ("user id", "items", "outfit id")


@operator(
    "source",
    "POG",
    version=1,
    paper="POG",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="category", kind="category", length=1),
    ),
    group="user",
    splits=("recbench", "legommenders"),
    content="[title, category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "drawn"},
)
class POG(Clicked):
    """POG, Alibaba iFashion: the items each user clicked, in their order, without impressions.

    The folder holds `item_data.txt` and `user_data.txt`, plain or as `.gz`. There are no times: the
    order of the file is taken for it. The outfit at the end of a user's line is no item.
    """

    class Config(Clicked.Config):
        negatives: int = param(100, min=0, doc="Items drawn per click of valid and test.")

    example = 'source = POG("raw/pog")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        names = ("item_data.txt", "user_data.txt")
        return [need_file(root, [name], "POG", PAGE) for name in names]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        pieces, clicks = self.files()
        losses = Losses()
        progress.say(f"reading {pieces.name} and {clicks.name} of POG")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, {"title": "text", "category": "text"}) as staged:
            for line, (item, category, _, title) in read_split(
                pieces, pieces.name, ITEM, losses, "items", separator=","
            ):
                staged.add(pieces.name, line, item, title, category)
        with stage_log(log) as staged:
            for line, user, item in read_clicks(clicks, losses):
                staged.add(clicks.name, line, user, item, None, None)
        kinds = ("title", "category")
        drops = build_clicks(connection, scan(items), scan(log), kinds, listed=True)
        return Extracted(
            parts=(Published(name="log", labelled=True),),
            drops=(*losses.drops(), *drops),
            notes=("no times: the place among a user's clicks is taken as the time",),
            order="list",
            feedback=Feedback(
                graded=False, negatives=self.config.negatives, seed=self.config.seed,
                last=1, unseen=100, rows=100, text="title",
            ),
        )  # fmt: skip


def read_clicks(path: Path, losses: Losses) -> Iterator[tuple[int, str, str]]:
    """Line, user and item of every click; a user may have many lines."""
    for line, (user, listed, _) in read_split(path, path.name, USER, losses, "log", separator=","):
        for item in listed.split(";"):
            if item:
                yield line, user, item
