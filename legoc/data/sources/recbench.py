"""RecBench's own layout (Liu et al., 2025): items, users and interactions in Parquet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.data.formats.opened import missing_file
from legoc.data.sources.processed import Files, Processed, extract_folder
from legoc.data.splitting.orders import ORDER, VALID
from legoc.data.staging.source import Bench, Extracted, Published
from legoc.language.declaring.declare import operator, param
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/Jyonn/RecBench"
LICENCE = "RecBench's processed data keep the terms of the data set they were made from."


@operator(
    "source",
    "RecBench",
    version=1,
    paper="RecBench",
    primary="path",
    group="user",
    splits=("recbench",),
    facts={"headers": "processed", "page": PAGE, "licence": LICENCE},
)
class RecBench(Processed):
    """A folder that RecBench has processed: `items`, `users` and `interactions`, `test` and
    `finetune` as Parquet.

    The publisher's parts are its own: the users of `finetune` train, those of
    `valid_user_set_0.1.txt` are valid, and `test` is test. Attributes are the columns of `items`.
    Sets without a test part have train and valid; for those of a test part alone, choose another
    split. A user's history is the one that was stored; there are no times. `split = recbench` over
    `log=interactions` draws the parts anew, in the order of `user_order.txt` where that is there.
    """

    class Config(Processed.Config):
        log: Literal["sets", "interactions"] = param(
            "sets", doc="`finetune` and `test` as they were drawn, or all `interactions`."
        )

    example = 'source = RecBench("data/mind")\ncontent = [title(30)]'
    licence = LICENCE

    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in ("log", "item", "user")}

    def folder(self) -> Files:
        root = Path(self.config.path)
        named = {"finetune": "train", "test": "test"}
        if self.config.log == "interactions":
            named = {"interactions": "log"}
        logs = [
            (part, path)
            for name, part in named.items()
            if (path := root / f"{name}.parquet").is_file()
        ]
        if not logs:
            first, *others = (f"{name}.parquet" for name in named)
            raise missing_file(root / first, "the processed data", PAGE, others)
        if len(logs) == 1:
            # A test part alone is no part of a split.
            logs = [("train" if self.valid() else "log", logs[0][1])]
        for name in ("items", "users"):
            if not (root / f"{name}.parquet").is_file():
                raise missing_file(root / f"{name}.parquet", "the processed data", PAGE)
        return Files(items=root / "items.parquet", users=root / "users.parquet", logs=tuple(logs))

    def valid(self) -> Path | None:
        """The list of the validation users, where training users are read."""
        path = Path(self.config.path) / VALID
        finetune = path.with_name("finetune.parquet")
        wanted = self.config.log == "sets" and finetune.is_file()
        return path if wanted and path.is_file() else None

    def orders(self) -> list[Path]:
        """What orders the users of all interactions under the protocol, where it is there."""
        named = (ORDER, VALID) if self.config.log == "interactions" else ()
        root = Path(self.config.path)
        return [path for name in named if (path := root / name).is_file()]

    def files(self) -> Sequence[Path]:
        listed = self.valid()
        return [*self.folder().files, *([] if listed is None else [listed])]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        folder, listed = self.folder(), self.valid()
        progress.say(f"reading {', '.join(path.name for path in folder.files)}")
        names = [] if listed is None else listed.read_text(encoding="utf-8").split("\n")
        parts, drops, users = extract_folder(
            connection, folder, vars(self.config), [name.strip() for name in names if name.strip()]
        )
        return Extracted(
            parts=tuple(Published(name=part, labelled=True, named=True) for part in parts),
            drops=drops,
            notes=("no times: the order of the rows is taken for time",),
            order="file",
            users=users,
            bench=self.bench(),
        )

    def bench(self) -> Bench | None:
        """What the protocol reads: all interactions. The sets were drawn already."""
        if self.config.log == "sets":
            return None
        return Bench(parts=("log",), listed=Path(self.config.path))
