"""PENS (Ao et al., ACL 2021): English news with impressions and dwell times."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.opened import decode, find_file, need_file, read_lines
from legoc.data.staging.graded import build_items, scan, stage_items
from legoc.data.staging.impressions import build_impressions
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Bench, Extracted, Published
from legoc.data.staging.staged import Staged
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://msnews.github.io/pens.html"
LICENCE = (
    "PENS is licensed under the Microsoft Research License Terms: non-commercial research, "
    "no right of redistribution."
)
PARTS = ("train", "valid")
# The columns of the published files that are read. What follows in news.tsv are entities.
NEWS = ("news id", "category", "topic", "headline", "news body")
LOG = (
    "user id", "clicked news", "dwell time", "exposure time", "pos", "neg", "start", "end",
    "dwell time of pos",
)  # fmt: skip


@operator(
    "source",
    "PENS",
    version=1,
    paper="PENS",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="body", kind="text", length=100),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="topic", kind="category", length=1),
    ),
    group="impression",
    splits=("publisher", "recbench", "legommenders"),
    content="[title, category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "shown"},
)
class PENS:
    """PENS, personalised news headlines: the impressions of `train.tsv` and `valid.tsv`.

    The folder holds `news.tsv`, `train.tsv` and, if wanted, `valid.tsv`, plain or as `.gz`. The
    file `personalized_test.tsv` has no non-clicks and is not read.
    """

    class Config:
        path: Folder = param(doc="The folder of the unpacked archive.")

    example = 'source = PENS("raw/PENS")'
    licence = LICENCE

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {}

    def logs(self) -> list[tuple[str, Path]]:
        """The parts that are there; `train` must be."""
        root = Path(self.config.path)
        found = [("train", need_file(root, ["train.tsv"], "PENS", PAGE))]
        valid = find_file(root, ["valid.tsv"])
        return [*found, ("valid", valid)] if valid is not None else found

    def files(self) -> Sequence[Path]:
        news = need_file(Path(self.config.path), ["news.tsv"], "PENS", PAGE)
        return [news, *(path for _, path in self.logs())]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        news, losses = self.files()[0], Losses()
        progress.say(f"reading {', '.join(part for part, _ in self.logs())} of PENS")
        items, log = staging / "items.parquet", staging / "log.parquet"
        kinds = {"title": "text", "body": "text", "category": "text", "topic": "text"}
        with stage_items(items, kinds) as staged:
            for line, fields in read_rows(news, NEWS, losses, "news"):
                item, category, topic, headline, body = fields
                staged.add(news.name, line, item, headline, body, category, topic)
        drops = build_items(connection, scan(items), tuple(kinds))
        columns = {"part": "text", "file": "text", "line": "integer"}
        texts = dict.fromkeys(("user_id", "start", "clicks", "pos", "neg"), "text")
        with Staged(log, {**columns, **texts}) as staged:
            for part, path in self.logs():
                for line, fields in read_rows(path, LOG, losses, part):
                    user, clicks, _, _, pos, neg, start, *_ = fields
                    staged.add(part, path.name, line, user, start, clicks, pos, neg)
        arrange(connection, scan(log))
        drops += build_impressions(connection)
        parts = tuple(Published(name=part, labelled=True) for part, _ in self.logs())
        # RecBench takes train and valid together, without impressions of one label.
        bench = Bench(parts=tuple(part.name for part in parts), both=True)
        return Extracted(parts=parts, drops=(*losses.drops(), *drops), bench=bench)


def read_rows(
    path: Path, columns: Sequence[str], losses: Losses, part: str
) -> Iterator[tuple[int, list[str]]]:
    """Line and the named fields of every row below the header; further fields are left alone.

    The files have no quoting: a quote is a character. A row with fewer fields is counted. Raises
    E0621 for a first line that is no header of these columns.
    """
    for number, raw in read_lines(path, path.name):
        fields = decode(raw, number, path.name).rstrip("\r\n").split("\t")
        if number == 1:
            check_header(fields, columns, path)
        elif len(fields) >= len(columns):
            yield number, fields[: len(columns)]
        elif any(fields):
            losses.add(
                "row with too few columns", "dropped", part,
                f"{path.name}:{number}: {fields[0][:40]}",
            )  # fmt: skip


def check_header(names: Sequence[str], columns: Sequence[str], path: Path) -> None:
    """The columns are found by their place: their names differ between copies, their order never
    does."""
    first = names[0].strip().lower().replace(" ", "")
    if len(names) >= len(columns) and first == columns[0].replace(" ", ""):
        return
    raise fail(
        "E0621",
        f"`{path.name}` line 1 is not the header of {len(columns)} columns and more",
        "use the publisher's file: tabs between columns, a header, no quoting",
        notes=(f"the columns are {', '.join(columns)}", f"the file is {path}"),
    )


def arrange(connection: "duckdb.DuckDBPyConnection", log: str) -> None:
    """The relations told and shown out of the staged lines: pos comes before neg."""

    def listed(column: str) -> str:
        return f"list_filter(string_split({column}, ' '), lambda item: item <> '')"

    connection.execute(
        f"""
        CREATE TABLE told AS
        SELECT row_number() OVER (ORDER BY min(position)) - 1 AS key, user_id, clicks AS text,
               {listed("clicks")} AS clicks, arg_min(part, position) AS part,
               arg_min(file, position) AS file, arg_min(line, position) AS line
        FROM {log} GROUP BY user_id, clicks
        """
    )
    connection.execute(
        f"""
        CREATE TABLE shown AS
        SELECT position, part, file, line, (line - 1)::VARCHAR AS impression, key,
               try_strptime(start, '%m/%d/%Y %I:%M:%S %p') AS time, pos || neg AS offered,
               list_transform(pos, lambda item: 1) || list_transform(neg, lambda item: 0)
                   AS labels
        FROM (
            SELECT log.*  EXCLUDE (pos, neg, part, file, line), log.part, log.file, log.line, key,
                   {listed("pos")} AS pos, {listed("neg")} AS neg
            FROM {log} AS log JOIN told ON log.user_id = told.user_id AND log.clicks = told.text
        )
        """
    )
