"""One's own tables: items and interactions, with or without impressions, histories and users."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.data.sources.tables_layout import PARTS, Layout, describe_notation, read_layout
from legoc.data.sources.tables_published import build_published
from legoc.data.sources.tables_read import stage_histories, stage_interactions, stage_records
from legoc.data.sources.tables_sql import build_feedback, build_told, measure_ratings
from legoc.data.staging.first_records import build_users
from legoc.data.staging.graded import settings
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Folder, operator, param
from legoc.language.typing.table_files import need_tables
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


@operator(
    "source",
    "Tables",
    version=2,
    primary="path",
    splits=("recbench", "legommenders"),
    facts={"headers": "tables", "licence": "The tables are your own."},
)
class Tables:
    """Your own tables, each as `.parquet`, `.csv`, `.tsv`, `.jsonl` or `.json` (text also `.gz`).

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
        time: str = param("time", doc="The column of times: dates, or numbers of one unit.")
        impression: str = param("impression_id", doc="The column that joins what was shown.")
        history: str = param("history_id", doc="The column that names a history.")
        clicks: str = param("clicks", doc="The column of a history's item ids, oldest first.")
        split: str = param("split", doc="The column of parts: train, valid, test, predict.")
        published: str | None = param(
            None, since=True, doc="The column of `items` with the time an item appeared, for `age`."
        )
        numbers: list[str] = param((), doc="Attributes that are numbers, whatever they look like.")
        categories: list[str] = param(
            (), doc="Attributes that are categories, whatever they look like."
        )
        texts: list[str] = param(
            (), since=True, doc="Attributes that are text, whatever they look like."
        )
        separator: str | None = param(
            None, doc="Separates the values of a list in CSV; blanks for clicks unless given."
        )
        delimiter: str | None = param(
            None, since=True, doc="What divides the columns of text; else the file's name says."
        )
        encoding: str = param("utf-8", since=True, doc="The encoding of text files.")
        decimal: Literal[".", ","] = param(".", since=True, doc="The sign before decimals.")
        missing: list[str] = param(
            (), since=True, doc="Words that say that a value is missing, such as `N/A`."
        )
        time_unit: Literal["seconds", "milliseconds", "microseconds", "nanoseconds"] | None = param(
            None, since=True, doc="The unit of times that are numbers; else the column tells."
        )
        time_format: str | None = param(
            None,
            since=True,
            doc="How times are written: `day first`, `month first` or a form of `strptime`.",
        )
        items: list[str] = param(
            (), since=True, doc="The files of the items: names or patterns in the folder."
        )
        interactions: list[str] = param((), since=True, doc="The files of the interactions.")
        histories: list[str] = param((), since=True, doc="The files of the histories.")
        users: list[str] = param((), since=True, doc="The files of the users.")
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
        tables = need_tables(vars(self.config))
        return {
            **{name: list(v) if isinstance(v, tuple) else v for name, v in found.items()},
            # A file may be another table under another name.
            "tables": {name: [file.format for file in files] for name, files in tables.items()},
            # What was prepared before does not say whether times count from their own beginning.
            "clock": True,
        }

    def files(self) -> Sequence[Path]:
        """The files of all tables that are there. E0620 without items or interactions."""
        tables = need_tables(vars(self.config))
        return [file.path for files in tables.values() for file in files]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        layout = read_layout(self.config)
        tables, losses = layout.tables, Losses()
        shown = [file.shown for files in tables.values() for file in files]
        progress.say(f"reading {', '.join(shown)}")
        items, users = (
            stage_records(layout, name, staging, losses) if name in tables else None
            for name in ("items", "users")
        )
        log = stage_interactions(layout, staging, losses)
        if "histories" in tables:
            told = stage_histories(layout, staging, losses)
            drops = build_told(connection, layout, items or "", log.table, told)
        else:
            drops = build_feedback(connection, layout, items or "", log.table)
        if users is not None:
            drops += build_users(connection, users, tuple(layout.users))
        column, dated = self.config.published, ""
        if column is not None:
            dated = build_published(connection, layout, column, staging, losses)
        order = "no times: the order of the rows is taken for time"
        said = log.told if layout.meant.time else order
        return Extracted(
            parts=find_parts(connection, layout, "histories" in tables),
            drops=(*losses.drops(), *drops),
            notes=tuple(note for note in (said, dated) if note),
            order="time" if layout.meant.time else "file",
            clock=log.clock,
            feedback=self.feedback(layout, "histories" in tables),
            ratings=measure_ratings(connection, layout, log.table),
            users=users is not None,
            published=column is not None,
            notation=describe_notation(layout.items),
        )

    def feedback(self, layout: Layout, told: bool) -> Feedback:
        labelled = layout.meant.label is not None or layout.meant.rating is not None
        return Feedback(
            graded=labelled,
            impressions=layout.meant.impression is not None,
            told=told,
            negatives=0 if labelled else self.config.negatives,
            seed=self.config.seed,
        )


def find_parts(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, told: bool
) -> tuple[Published, ...]:
    """The parts of the column `split`, in the order of their use; one where there is no column."""
    if layout.meant.split is None:
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
