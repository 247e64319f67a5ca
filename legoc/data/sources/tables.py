"""One's own tables: items and interactions, with or without impressions, histories and users."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.readers.tables import find_table
from legoc.data.sources.tables_layout import PARTS, Layout, read_layout
from legoc.data.sources.tables_read import stage_histories, stage_interactions, stage_records
from legoc.data.sources.tables_sql import build_feedback, build_told, measure_ratings
from legoc.data.staging.first_records import build_users
from legoc.data.staging.graded import settings
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


NAMES = ("items", "interactions", "histories", "users")


@operator(
    "source",
    "Tables",
    version=1,
    primary="path",
    splits=("recbench", "legommenders"),
    facts={"headers": "tables", "licence": "The tables are your own."},
)
class Tables:
    """Your own tables, each as `.parquet`, `.csv`, `.tsv` or `.jsonl` (text also as `.gz`).

    `items` has `item_id` and a column per attribute. `interactions` has `user_id`, `item_id` and,
    if known, `time`, `label` (1 or 0) or `rating`, and `impression_id` for what was shown together;
    without `label` and `rating` every row is a click. `histories` (`history_id` or `user_id`,
    `clicks`) may be given, else they are made of the clicks before each interaction. `users` has
    `user_id` and a column per attribute. A column `split` (train, valid, test, predict) makes
    `split = publisher` possible. Columns of other names are named in the spec.
    """

    class Config:
        path: Folder = param(doc="The folder of the tables.")
        item: str = param("item_id", doc="The column of item ids.")
        user: str = param("user_id", doc="The column of user ids.")
        label: str = param("label", doc="The column of labels, 1 for a click and 0 for none.")
        rating: str = param("rating", doc="The column of ratings, read where there is no label.")
        neutral: float = param(3.0, doc="The rating that is neither; above is a click.")
        time: str = param("time", doc="The column of times: ISO dates or seconds since 1970.")
        impression: str = param("impression_id", doc="The column that joins what was shown.")
        history: str = param("history_id", doc="The column that names a history.")
        clicks: str = param("clicks", doc="The column of a history's item ids, oldest first.")
        split: str = param("split", doc="The column of parts: train, valid, test, predict.")
        numbers: list[str] = param((), doc="Attributes that are numbers; CSV does not tell.")
        categories: list[str] = param(
            (), doc="Attributes that are categories though written in numbers."
        )
        separator: str | None = param(
            None, doc="Separates the values of a list in CSV; blanks for clicks unless given."
        )
        negatives: int = param(
            20,
            min=0,
            doc="Items drawn per click of valid and test where nothing says what was not clicked.",
        )
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    example = 'source = Tables("my_tables", user="customer")\ncontent = [title(30)]'
    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        found = settings(self.config)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    def paths(self) -> dict[str, Path]:
        """The tables that are there. Items and interactions must be."""
        root = Path(self.config.path)
        found = {name: path for name in NAMES if (path := find_table(root, name)) is not None}
        for name in ("items", "interactions"):
            if name not in found:
                raise fail(
                    "E0620",
                    f"`{root / name}.csv` is missing",
                    f"write the table `{name}` as `{name}.csv`, `.tsv`, `.jsonl` or `.parquet`; "
                    "docs/own_data.md shows how",
                )
        return found

    def files(self) -> Sequence[Path]:
        return list(self.paths().values())

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        paths = self.paths()
        layout = read_layout(self.config, paths)
        losses = Losses()
        progress.say(f"reading {', '.join(path.name for path in paths.values())}")
        items, users = (
            stage_records(layout, name, staging, losses) if name in paths else None
            for name in ("items", "users")
        )
        log = stage_interactions(layout, staging, losses)
        if "histories" in paths:
            told = stage_histories(layout, staging, losses)
            drops = build_told(connection, layout, items or "", log, told)
        else:
            drops = build_feedback(connection, layout, items or "", log)
        if users is not None:
            drops += build_users(connection, users, tuple(layout.users))
        return Extracted(
            parts=find_parts(connection, layout, "histories" in paths),
            drops=(*losses.drops(), *drops),
            notes=() if layout.time else ("no times: the order of the rows is taken for time",),
            order="time" if layout.time else "file",
            feedback=self.feedback(layout, "histories" in paths),
            ratings=measure_ratings(connection, layout, log),
            users=users is not None,
        )

    def feedback(self, layout: Layout, told: bool) -> Feedback:
        labelled = layout.label is not None or layout.rating is not None
        return Feedback(
            graded=labelled,
            impressions=layout.impression is not None,
            told=told,
            negatives=0 if labelled else self.config.negatives,
            seed=self.config.seed,
        )


def find_parts(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, told: bool
) -> tuple[Published, ...]:
    """The parts of the column `split`, in the order of their use; one where there is no column."""
    if layout.split is None:
        return (Published(name="log", labelled=True),)
    table = "impressions" if told else "feedback"
    there = {
        part for (part,) in connection.execute(f"SELECT DISTINCT part FROM {table}").fetchall()
    }
    return tuple(
        Published(name=part, labelled=part != "predict", named=True)
        for part in PARTS
        if part in there
    )
