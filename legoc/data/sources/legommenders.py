"""Folders that Legommenders has processed (Liu et al., WWW 2025): the Parquet files beside its
depots of tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.opened import missing_file
from legoc.data.sources.processed import Files, Processed, extract_folder
from legoc.data.staging.source import Extracted, Published
from legoc.language.declaring.declare import operator
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/Jyonn/Legommenders"
LICENCE = "Legommenders' processed data keep the terms of the data set they were made from."
PARTS = ("train", "valid", "test")
# What a depot of tokens is known by: version 4, and the versions before it.
DEPOT = ("meta.json", "meta.data.json")


@operator(
    "source",
    "Legommenders",
    version=1,
    paper="Legommenders",
    primary="path",
    group="user",
    facts={"headers": "processed", "page": PAGE, "licence": LICENCE},
)
class Legommenders(Processed):
    """A folder that Legommenders has processed: `items`, `users`, `train`, `valid` and `test` as
    Parquet.

    The publisher's parts are those files. The folders of tokens of the same names, which the
    library writes beside them, are not needed: text is tokenised anew. Attributes are the columns
    of `items` without the prompts. Interactions that name their impression (`imp`, as ONCE's do)
    are grouped by it. There are no times.
    """

    example = 'source = Legommenders("data/mind")\ncontent = [title(30)]'
    licence = LICENCE

    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in ("item", "user")}

    def folder(self) -> Files:
        root = Path(self.config.path)
        for name in ("items", "users", "train"):
            path = root / f"{name}.parquet"
            if path.is_file():
                continue
            if any((root / name / meta).is_file() for meta in DEPOT):
                raise fail(
                    "E0620",
                    f"`{path}` is missing, and the depot `{name}/` beside it holds tokens, no text",
                    "copy the Parquet files, too, which the library writes into the same folder "
                    "(version 2 and later), or use the data set as its publisher gives it",
                )
            raise missing_file(path, "the processed data", PAGE)
        logs = [(part, root / f"{part}.parquet") for part in PARTS]
        return Files(
            items=root / "items.parquet", users=root / "users.parquet",
            logs=tuple((part, path) for part, path in logs if path.is_file()),
        )  # fmt: skip

    def files(self) -> Sequence[Path]:
        return self.folder().files

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        folder = self.folder()
        progress.say(f"reading {', '.join(path.name for path in folder.files)}")
        parts, drops, users = extract_folder(connection, folder, vars(self.config))
        return Extracted(
            parts=tuple(Published(name=part, labelled=True, named=True) for part in parts),
            drops=drops,
            notes=("no times: the order of the rows is taken for time",),
            order="file",
            users=users,
        )
