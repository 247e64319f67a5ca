"""EB-NeRD (Kruse et al., RecSys 2024): Danish news with impressions, in Parquet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.opened import missing_file
from legoc.data.staging.impressions import build_impressions
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Bench, Extracted, Published
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://recsys.eb.dk"
LICENCE = "EB-NeRD is published under terms of its own at recsys.eb.dk: research only."
PARTS = ("train", "validation", "test")
# What becomes of the publisher's columns. Totals of views are counted after the fact: a model that
# reads them knows the future, so they are no attributes.
ATTRIBUTES = {
    "title": "title", "subtitle": "subtitle", "body": "body", "category": "category_str",
    "subcategory": "subcategory", "topics": "topics", "type": "article_type",
}  # fmt: skip
LISTS = ("subcategory", "topics")
NEEDED = {
    "articles": ("article_id", "title"),
    "behaviors": ("impression_id", "impression_time", "user_id", "article_ids_inview"),
    "history": ("user_id", "article_id_fixed"),
}


@operator(
    "source",
    "EBNeRD",
    version=1,
    paper="EBNeRD",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="subtitle", kind="text", length=50),
        Attribute(name="body", kind="text", length=100),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="subcategory", kind="category", length=3),
        Attribute(name="topics", kind="category", length=3),
        Attribute(name="type", kind="category", length=1),
    ),
    group="impression",
    splits=("publisher", "recbench", "legommenders"),
    content="[title, category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "shown"},
)
class EBNeRD:
    """EB-NeRD, the Ekstra Bladet news recommendation data set: demo, small or large.

    The folder holds `articles.parquet` and the folders `train`, `validation` and, if wanted, the
    `test` of the separate archive, each with `behaviors.parquet` and `history.parquet`.
    """

    class Config:
        path: Folder = param(doc="The folder of the unpacked archive.")

    example = 'source = EBNeRD("raw/ebnerd_small")'
    licence = LICENCE

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {}

    def parts(self) -> list[str]:
        """The parts that are there; `train` must be."""
        root = Path(self.config.path)
        return ["train", *(part for part in PARTS[1:] if (root / part).is_dir())]

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        names = [root / "articles.parquet"]
        for part in self.parts():
            names += [root / part / "behaviors.parquet", root / part / "history.parquet"]
        for path in names:
            if not path.is_file():
                raise missing_file(path, "EB-NeRD", PAGE)
        return names

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        progress.say(f"reading {', '.join(self.parts())} of EB-NeRD")
        articles, *logs = self.files()
        drops = list_articles(connection, articles)
        connection.execute(
            "CREATE TABLE seen (position BIGINT, part VARCHAR, file VARCHAR, line BIGINT, "
            "impression VARCHAR, user_id VARCHAR, time TIMESTAMP, offered VARCHAR[], "
            "labels FLOAT[])"
        )
        connection.execute(
            "CREATE TABLE past (part VARCHAR, user_id VARCHAR, clicks VARCHAR[], file VARCHAR, "
            "line BIGINT, times TIMESTAMP[])"
        )
        parts: list[Published] = []
        for part, behaviors, history in zip(self.parts(), logs[::2], logs[1::2], strict=True):
            labelled, left = add_part(connection, part, behaviors, history)
            parts.append(Published(name=part, labelled=labelled))
            drops += left
        connection.execute(
            """
            CREATE TABLE told AS
            SELECT row_number() OVER (ORDER BY first) - 1 AS key, user_id, part,
                   coalesce(clicks, []::VARCHAR[]) AS clicks, coalesce(past.file, '') AS file,
                   coalesce(past.line, 0) AS line
            FROM (SELECT part, user_id, min(position) AS first FROM seen GROUP BY part, user_id)
            LEFT JOIN (
                SELECT * FROM past
                QUALIFY row_number() OVER (PARTITION BY part, user_id ORDER BY line) = 1
            ) AS past USING (part, user_id)
            """
        )
        connection.execute(
            "CREATE TABLE shown AS SELECT seen.*, key FROM seen JOIN told USING (part, user_id)"
        )
        drops += build_impressions(connection)
        return Extracted(
            parts=tuple(parts), drops=tuple(drops), bench=Bench(parts=("train",)),
            published=list_published(connection, articles), remembered=remember(connection),
        )  # fmt: skip


def scan(connection: "duckdb.DuckDBPyConnection", path: Path, kind: str) -> tuple[str, list[str]]:
    """A Parquet file as a table of SQL with the number of each row, and its columns.

    Raises E0621 where a column is missing and E0622 where it is no Parquet file.
    """
    import duckdb

    quoted = "'" + str(path).replace("'", "''") + "'"
    table = f"read_parquet({quoted}, file_row_number = true)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    except duckdb.Error as error:
        raise fail(
            "E0622",
            f"`{path.parent.name}/{path.name}` cannot be read as Parquet",
            "fetch the file again: the download was interrupted or the file is damaged",
            notes=(str(error).splitlines()[0],),
        ) from None
    names = [name for name, *_ in described]
    for column in NEEDED[kind]:
        if column not in names:
            raise fail(
                "E0621",
                f"`{path.parent.name}/{path.name}` has no column `{column}`",
                "use the publisher's file",
                notes=(f"its columns are {', '.join(names)}", f"the file is {path}"),
            )
    return table, names


def list_articles(connection: "duckdb.DuckDBPyConnection", path: Path) -> list[Drop]:
    """The table items; ids are integers in the file and text here."""
    from legoc.data.staging.graded import build_items

    table, names = scan(connection, path, "articles")
    chosen: list[str] = []
    for name, column in ATTRIBUTES.items():
        empty = "[]::VARCHAR[]" if name in LISTS else "''"
        cast = "VARCHAR[]" if name in LISTS else "VARCHAR"
        value = f'coalesce("{column}"::{cast}, {empty})' if column in names else empty
        chosen.append(f'{value} AS "{name}"')
    connection.execute(
        f"""
        CREATE VIEW articles AS
        SELECT file_row_number AS position, '{path.name}' AS file, file_row_number + 1 AS line,
               article_id::VARCHAR AS item_id, {", ".join(chosen)} FROM {table}
        """
    )
    return list(build_items(connection, "articles", tuple(ATTRIBUTES)))


def list_published(connection: "duckdb.DuckDBPyConnection", path: Path) -> bool:
    """published(item_id, time), where the file of the articles says it; whether it does."""
    table, names = scan(connection, path, "articles")
    if "published_time" not in names:
        return False
    connection.execute(
        f"""
        CREATE TABLE published AS
        SELECT article_id::VARCHAR AS item_id, published_time::TIMESTAMP AS time FROM {table}
        QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY file_row_number) = 1
        """
    )
    return True


def remember(connection: "duckdb.DuckDBPyConnection") -> bool:
    """remembered(item_id, time): the clicks of histories, each once, that no impression shows.

    The parts' histories overlap, and those of a later part hold clicks on impressions of an earlier
    one.
    """
    connection.execute(
        """
        CREATE TABLE remembered AS
        SELECT item_id, time FROM (
            SELECT DISTINCT user_id, item_id, time FROM (
                SELECT user_id, unnest(clicks) AS item_id, unnest(times) AS time FROM past
            ) WHERE item_id IS NOT NULL AND time IS NOT NULL
        ) AS clicked ANTI JOIN (
            SELECT user_id, item_id, time FROM (
                SELECT user_id, unnest(offered) AS item_id, unnest(labels) AS label, time FROM seen
            ) WHERE label > 0
        ) AS known USING (user_id, item_id, time)
        """
    )
    return True


def add_part(
    connection: "duckdb.DuckDBPyConnection", part: str, behaviors: Path, history: Path
) -> tuple[bool, list[Drop]]:
    """Add the impressions and histories of one part; whether it is labelled, and what was left
    out by rule."""
    table, names = scan(connection, behaviors, "behaviors")
    labelled = "article_ids_clicked" in names
    clicked = "coalesce(article_ids_clicked, [])" if labelled else "NULL"
    label = (
        f"list_transform(offered, lambda item: list_contains({clicked}::VARCHAR[], item)::FLOAT)"
        if labelled
        else "list_transform(offered, lambda item: NULL::FLOAT)"
    )
    # These rows of the test part are for measures of diversity and are no impressions.
    extra = "coalesce(is_beyond_accuracy, false)" if "is_beyond_accuracy" in names else "false"
    ((first,),) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM seen").fetchall()
    connection.execute(
        f"""
        INSERT INTO seen
        SELECT {first} + file_row_number, '{part}', '{part}/{behaviors.name}', file_row_number + 1,
               impression_id::VARCHAR, user_id::VARCHAR, impression_time::TIMESTAMP, offered,
               {label}
        FROM (
            SELECT *, coalesce(article_ids_inview::VARCHAR[], []::VARCHAR[]) AS offered
            FROM {table}
        ) WHERE NOT {extra}
        """
    )
    ((left,),) = connection.execute(f"SELECT count(*) FROM {table} WHERE {extra}").fetchall()
    table, names = scan(connection, history, "history")
    times = "impression_time_fixed" if "impression_time_fixed" in names else "NULL"
    connection.execute(
        f"""
        INSERT INTO past
        SELECT '{part}', user_id::VARCHAR, article_id_fixed::VARCHAR[], '{part}/{history.name}',
               file_row_number + 1, {times}::TIMESTAMP[]
        FROM {table}
        """
    )
    reason = "row for measures beyond accuracy"
    return labelled, [Drop(reason=reason, policy="left out", part=part, count=left)] if left else []
