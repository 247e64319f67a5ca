"""MIND (Wu et al., ACL 2020): English news with impressions, in its published files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.blocks import stage
from legoc.data.sources import mind_sql
from legoc.data.staging.source import Bench, Extracted, Published
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://msnews.github.io"
LICENCE = (
    "MIND is licensed under the Microsoft Research License Terms: non-commercial research, "
    "no right of redistribution."
)
SIZES = ("demo", "small", "large")
PARTS = ("train", "dev", "test")
NEWS = (
    "news id", "category", "subcategory", "title", "abstract", "url", "title entities",
    "abstract entities",
)  # fmt: skip
BEHAVIORS = ("impression id", "user id", "time", "history", "candidates")


@operator(
    "source",
    "MIND",
    version=1,
    paper="MIND",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="abstract", kind="text", length=50),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="subcategory", kind="category", length=1),
    ),
    group="impression",
    splits=("publisher", "recbench", "legommenders"),
    content="[title(30), category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "shown"},
)
class MIND:
    """MIND, the Microsoft News data set: demo, small or large, as published.

    The folder holds `train/` and `dev/` (large: also `test/`, without labels), or the archives'
    own folders such as `MINDsmall_train/`. Each has `news.tsv` and `behaviors.tsv`, plain or as
    `.gz`.
    """

    class Config:
        path: Folder = param(doc="The folder of the unpacked archives.")

    example = 'source = MIND("raw/MINDsmall")'
    licence = LICENCE

    def __init__(self, config: Any, *, shown: str = "MIND") -> None:
        self.config = config
        self.shown = shown

    def identity(self) -> dict[str, Any]:
        return {}

    def files(self) -> Sequence[Path]:
        return [path for _, folder in self.folders() for path in raw_files(folder)]

    def folders(self) -> list[tuple[str, Path]]:
        """The parts that are there, in the publisher's order. `train` must be."""
        root = Path(self.config.path)
        choices = [found for found in layouts(root) if "train" in found]
        if len(choices) > 1:
            names = ", ".join(f"`{found['train'].name}`" for found in choices)
            raise fail(
                "E0620",
                f"`{root}` holds more than one MIND: {names}",
                "name one of them, such as "
                f'`MIND("{root / choices[0]["train"].name.removesuffix("_train")}")`',
                notes=("ids of one size mean other articles in another",),
            )
        if not choices:
            raise missing(root / "train" / "news.tsv")
        return [(part, choices[0][part]) for part in PARTS if part in choices[0]]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        parts = [(part, *raw_files(folder)) for part, folder in self.folders()]
        progress.say(f"reading {', '.join(part for part, _, _ in parts)} of {self.shown}")
        news, behaviors = staging / "news.parquet", staging / "behaviors.parquet"
        stage(
            [(part, path, f"{part}/{path.name}") for part, path, _ in parts],
            NEWS, ("news id", "category", "subcategory", "title", "abstract"), news,
        )  # fmt: skip
        stage(
            [(part, path, f"{part}/{path.name}") for part, _, path in parts],
            BEHAVIORS, BEHAVIORS, behaviors,
        )  # fmt: skip
        view(connection, "news", news, {"news id": "item_id"})
        view(
            connection, "behaviors", behaviors,
            {"impression id": "impression", "user id": "user_id"},
        )  # fmt: skip
        drops = mind_sql.build(connection)
        labels = dict(connection.execute("SELECT part, labelled FROM labels").fetchall())
        return Extracted(
            parts=tuple(
                Published(name=part, labelled=bool(labels.get(part))) for part, _, _ in parts
            ),
            drops=tuple(drops),
            bench=Bench(parts=PARTS[:1], raw=(PARTS[0], PARTS[1])),
        )


def layouts(root: Path) -> list[dict[str, Path]]:
    """The ways the parts may lie: below the folder by name, or in the archives' own folders, which
    may also be named by their common beginning (`raw/MINDsmall`)."""
    names = [{part: root / part for part in PARTS}]
    names += [{part: root / f"MIND{size}_{part}" for part in PARTS} for size in SIZES]
    names += [{part: root.parent / f"{root.name}_{part}" for part in PARTS}]
    found = [{part: path for part, path in names_.items() if path.is_dir()} for names_ in names]
    return [parts for parts in found if parts]


def raw_files(folder: Path) -> tuple[Path, Path]:
    """`news.tsv` and `behaviors.tsv` of a part, plain or compressed."""
    found: list[Path] = []
    for name in ("news.tsv", "behaviors.tsv"):
        choices = [folder / name, folder / f"{name}.gz"]
        path = next((choice for choice in choices if choice.is_file()), None)
        if path is None:
            raise missing(choices[0])
        found.append(path)
    return found[0], found[1]


def missing(path: Path) -> LegoError:
    """The error of a raw file that is not there."""
    return fail(
        "E0620",
        f"`{path}` is missing",
        f"get MIND from its publisher, {PAGE}, unpack it, and name the folder that holds "
        "`train/` and `dev/`",
        "or try the model on the embedded data set: `--set data.source=Demo`",
    )


def view(
    connection: "duckdb.DuckDBPyConnection", name: str, path: Path, renamed: dict[str, str]
) -> None:
    """A view over a staged file with columns named for SQL."""
    columns = ", ".join(f'"{old}" AS {new}' for old, new in renamed.items())
    hidden = ", ".join(f'"{old}"' for old in renamed)
    quoted = str(path).replace("'", "''")
    connection.execute(
        f"CREATE VIEW {name} AS SELECT * EXCLUDE ({hidden}), {columns} "
        f"FROM read_parquet('{quoted}')"
    )
