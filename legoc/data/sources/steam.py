"""Steam: games people own or reviewed, in the releases of UCSD and of SCGRec."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.data.formats.opened import find_file, missing_file, need_file
from legoc.data.sources import steam_scgrec, steam_ucsd
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.graded import scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = (
    "https://cseweb.ucsd.edu/~jmcauley/datasets.html#steam_data (UCSD) or "
    "https://github.com/liangwei-yang/SCGRec (SCGRec)"
)
LICENCE = "Steam states no licence; cite the papers."
KINDS = {
    "title": "text", "genres": "texts", "developer": "texts", "publisher": "texts",
    "tags": "texts", "price": "number",
}  # fmt: skip
# The publisher's parts of SCGRec's release.
PARTS = ("train", "valid", "test")
OWNED = ("australian_users_items.json",)
REVIEWS = ("steam_reviews.json", "australian_user_reviews.json")


@operator(
    "source",
    "Steam",
    version=1,
    paper="Steam",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=12),
        Attribute(name="genres", kind="category", length=3),
        Attribute(name="developer", kind="category", length=1),
        Attribute(name="publisher", kind="category", length=1),
        Attribute(name="tags", kind="category", length=5),
        Attribute(name="price", kind="number", length=10),
    ),
    group="user",
    splits=("recbench", "legommenders"),
    content="[title, genres]",
    facts={"page": PAGE, "licence": LICENCE, "parts": "parts"},
)
class Steam:
    """Steam, the release of UCSD or that of SCGRec, without impressions.

    SCGRec: `App_ID_Info.txt` and `train_game.txt`, with the lists of genres, developers and
    publishers if they are there. UCSD: `steam_games.json.gz` with `steam_reviews.json.gz` or
    `australian_user_reviews.json.gz` (`log=reviews`; what a review does not recommend is a
    non-click), or `australian_users_items.json.gz` (`log=owned`). Where there are no times, the
    order of a user's games is taken for it.
    """

    class Config:
        path: Folder = param(doc="The folder of the files of one release.")
        log: Literal["reviews", "owned"] = param(
            "reviews", doc="What counts as a click in UCSD's release; SCGRec has games owned only."
        )
        parts: bool = param(
            False,
            since=True,
            doc="Take SCGRec's train, valid and test games as the publisher's parts.",
        )
        negatives: int = param(20, min=0, doc="Games drawn per click of valid and test.")
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    example = 'source = Steam("raw/steam")'
    licence = LICENCE
    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in ("log", "parts", "negatives", "seed")}

    @property
    def scgrec(self) -> bool:
        return find_file(Path(self.config.path), ["train_game.txt"]) is not None

    def files(self) -> Sequence[Path]:
        """The log, the games, and lists of their attributes."""
        root = Path(self.config.path)
        if self.config.parts and not self.scgrec:
            raise fail(
                "E0620",
                f"`{root / 'train_game.txt'}` is missing",
                "`parts` are those of SCGRec's release: name its folder, or leave `parts` out",
            )
        if self.scgrec:
            games = need_file(root, ["App_ID_Info.txt"], "Steam", PAGE)
            lists = [find_file(root, [name]) for name in steam_scgrec.LISTS]
            return [*self.logs(), games, *(path for path in lists if path is not None)]
        names = REVIEWS if self.config.log == "reviews" else OWNED
        if find_file(root, names) is None:
            raise missing_file(root / f"{names[0]}.gz", "Steam", PAGE, (*names, "train_game.txt"))
        return [*self.logs(), need_file(root, ["steam_games.json"], "Steam", PAGE)]

    def logs(self) -> list[Path]:
        """The files of the log, one for each part."""
        root = Path(self.config.path)
        if not self.scgrec:
            found = find_file(root, REVIEWS if self.config.log == "reviews" else OWNED)
            return [] if found is None else [found]
        parts = PARTS if self.config.parts else PARTS[:1]
        # The later parts lie beside the first, or in folders of their own.
        return [
            need_file(root, [f"{part}_game.txt", f"{part}_data/{part}_game.txt"], "Steam", PAGE)
            for part in parts
        ]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        logs = self.logs()
        games, *lists = self.files()[len(logs) :]
        apart = self.config.parts and self.scgrec
        losses = Losses()
        progress.say(f"reading {games.name} and {', '.join(log.name for log in logs)} of Steam")
        items, clicks = staging / "items.parquet", staging / "log.parquet"
        reader = steam_scgrec if self.scgrec else steam_ucsd
        with stage_items(items, KINDS) as staged:
            reader.read_games(games, lists, staged, losses)
        with stage_log(clicks) as staged:
            graded, timed = reader.read_log(logs, staged, losses)
        drops = build_clicks(
            connection, scan(items), scan(clicks), tuple(KINDS),
            part="split_part(file, '_', 1)" if apart else "'log'", listed=not timed,
        )  # fmt: skip
        parts = PARTS if apart else ("log",)
        return Extracted(
            parts=tuple(Published(name=part, labelled=True) for part in parts),
            drops=(*losses.drops(), *drops),
            notes=() if timed else ("no times: the order of a user's games is taken for it",),
            order="time" if timed else "list",
            feedback=Feedback(
                graded=graded, negatives=self.config.negatives, seed=self.config.seed,
                text="title", views=dict.fromkeys(PARTS, PARTS[:1]) if apart else {},
            ),
        )  # fmt: skip
