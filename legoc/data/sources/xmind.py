"""xMIND (Iana et al., SIGIR 2024): the news of MIND in fourteen further languages."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.formats.opened import decode, missing_file, read_lines
from legoc.data.sources.mind import LICENCE as ORIGINAL_LICENCE
from legoc.data.sources.mind import MIND
from legoc.data.staging.first_records import OTHER, POLICY, SAME, differ
from legoc.data.staging.graded import scan
from legoc.data.staging.impressions import count_places
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted
from legoc.data.staging.staged import Staged
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/andreeaiana/xMIND"
LICENCE = f"xMIND: CC BY-NC-SA 4.0. {ORIGINAL_LICENCE}"
TRANSLATED = ("title", "abstract")
COLUMNS = ("nid", *TRANSLATED)
NAME = re.compile(r"xMIND(?P<size>small|large)_(?P<part>train|dev|test)(\.zip)?")


@operator(
    "source",
    "xMIND",
    version=1,
    paper="xMIND",
    primary="path",
    attributes=(
        Attribute(name="title", kind="text", length=30),
        Attribute(name="abstract", kind="text", length=50),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="subcategory", kind="category", length=1),
        Attribute(name="title_en", kind="text", length=30),
        Attribute(name="abstract_en", kind="text", length=50),
    ),
    group="impression",
    splits=("publisher", "recbench", "legommenders"),
    content="[title, category]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "shown"},
)
class xMIND:
    """MIND with title and abstract in another language, joined by the id of the article.

    `path` is MIND, as the source MIND reads it. `translations` is the folder of one language: it
    holds `xMINDsmall_train.zip` and so on, or folders of these names, of the size of that MIND. An
    article without a translation has an empty text; the English ones are `title_en` and
    `abstract_en`.
    """

    class Config:
        path: Folder = param(doc="The folder of MIND, small or large.")
        translations: Folder = param(doc="The folder of one language, such as `xMIND/swh`.")
        size: str = param("", doc="small or large, where `translations` holds both.")

    example = 'source = xMIND("raw/MINDsmall", translations="raw/xMIND/swh", size="small")'
    licence = LICENCE

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {}

    @property
    def mind(self) -> MIND:
        return MIND(MIND.Config(path=self.config.path))

    def files(self) -> Sequence[Path]:
        return [*self.mind.files(), *(path for _, path in self.translated())]

    def translated(self) -> list[tuple[str, Path]]:
        """Part and file of the translations for every part of MIND that is there."""
        folder = Path(self.config.translations)
        found: dict[str, dict[str, Path]] = {}
        for path in sorted(folder.glob("xMIND*")):
            name = NAME.fullmatch(path.name)
            file = path / "news.tsv" if path.is_dir() else path
            if name and file.is_file():
                found.setdefault(name["size"], {}).setdefault(name["part"], file)
        size = self.config.size or next(iter(found), "small")
        if len(found) > 1 and not self.config.size:
            raise fail(
                "E0620",
                f"`{folder}` holds xMIND small and large",
                'say which your MIND is: `xMIND(..., size="small")`',
                notes=("ids of one size mean other articles in another",),
            )
        parts = [part for part, _ in self.mind.folders()]
        for part in parts:
            # The large test part is there for some languages only.
            if part not in found.get(size, {}) and part != "test":
                raise missing(folder / f"xMIND{size}_{part}.zip")
        return [(part, found[size][part]) for part in parts if part in found[size]]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        extracted = self.mind.extract(connection, staging, progress)
        files, losses = self.translated(), Losses()
        progress.say(f"reading the translations of {', '.join(part for part, _ in files)}")
        target = staging / "translated.parquet"
        kinds = {"part": "text", "file": "text", "line": "integer", "item_id": "text"}
        with Staged(target, {**kinds, **dict.fromkeys(TRANSLATED, "text")}) as staged:
            for part, path in files:
                for line, (item, title, abstract) in read_news(path, part, losses):
                    if item:
                        staged.add(part, shown_as(path), line, item, title, abstract)
                    else:
                        losses.add(
                            "item without an id", "dropped", part, f"{shown_as(path)}:{line}"
                        )
        drops = count_again(connection, target)
        left, unknown = join(connection, target)
        drops += [
            Drop(reason=reason, policy=policy, part="translations", count=count, examples=places)
            for reason, policy, (count, places) in (
                ("item without a translation", "title and abstract are empty", left),
                ("translation of an unknown item", "joins nothing", unknown),
            )
            if count
        ]
        return replace(extracted, drops=(*extracted.drops, *losses.drops(), *drops))


def count_again(connection: "duckdb.DuckDBPyConnection", translated: Path) -> list[Drop]:
    """Translations after the first of an article: another text, or the same twice in one file.
    That another part translates an article as well is no loss."""
    connection.execute(
        f"""
        CREATE TABLE later AS
        SELECT part, file, line, item_id AS value, position, 0 AS slot, n,
               {differ(TRANSLATED, "given", "first")} AS differs
        FROM (
            SELECT *, row_number() OVER (PARTITION BY part, item_id ORDER BY position) AS n
            FROM {scan(translated)}
        ) AS given JOIN (
            SELECT item_id, arg_min(title, position) AS title,
                   arg_min(abstract, position) AS abstract
            FROM {scan(translated)} GROUP BY item_id HAVING count(*) > 1
        ) AS first USING (item_id)
        """
    )
    found: list[Drop] = []
    for reason, chosen in ((SAME, "n > 1 AND NOT differs"), (OTHER, "differs")):
        query = f"SELECT * FROM later WHERE {chosen}"
        found += count_places(connection, f"translation {reason}", POLICY, query)
    connection.execute("DROP TABLE later")
    return found


def join(
    connection: "duckdb.DuckDBPyConnection", translated: Path
) -> tuple[tuple[int, tuple[str, ...]], tuple[int, tuple[str, ...]]]:
    """Put the first translation of each article in the place of its text; how many items have
    none, and how many translations no item, with the first ids."""
    connection.execute(
        f"""
        CREATE TABLE translated AS SELECT * FROM {scan(translated)}
        QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY position) = 1
        """
    )
    counts: list[tuple[int, tuple[str, ...]]] = []
    for one, other in (("items", "translated"), ("translated", "items")):
        ((count, ids),) = connection.execute(
            f"SELECT count(*), min_by(item_id, position, 3) FROM {one} "
            f"WHERE item_id NOT IN (SELECT item_id FROM {other})"
        ).fetchall()
        counts.append((count, tuple(ids or ())))
    connection.execute(
        """
        CREATE OR REPLACE TABLE items AS
        SELECT items.position, item_id, coalesce(translated.title, '') AS title,
               coalesce(translated.abstract, '') AS abstract, category, subcategory,
               items.title AS title_en, items.abstract AS abstract_en
        FROM items LEFT JOIN translated USING (item_id)
        """
    )
    return counts[0], counts[1]


def read_news(path: Path, part: str, losses: Losses) -> Iterator[tuple[int, list[str]]]:
    """Line, id, title and abstract below the header of a `news.tsv`, plain or in its zip."""
    shown, named = shown_as(path), False
    for number, fields in read_fields(path, shown):
        if not named:
            named = True
            if tuple(fields) != COLUMNS:
                raise fail(
                    "E0621",
                    f"`{shown}` line {number} is not the header `{' '.join(COLUMNS)}`",
                    "use the publisher's file: tabs between columns, a header",
                    notes=(f"the file is {path}",),
                )
        elif len(fields) == len(COLUMNS):
            yield number, fields
        elif any(fields):
            place = f"{shown}:{number}: {fields[0][:40]}"
            losses.add("row with another number of columns", "dropped", part, place)


def shown_as(path: Path) -> str:
    """A file in messages: of those that bear one name, with their folder."""
    return f"{path.parent.name}/{path.name}" if path.name == "news.tsv" else path.name


def read_fields(path: Path, shown: str) -> Iterator[tuple[int, list[str]]]:
    """Line and fields; a field may be quoted, where it holds a quote or a line break."""
    if path.suffix == ".zip":
        lines = read_zip(path, shown)
    else:
        lines = (decode(raw, number, shown) for number, raw in read_lines(path, shown))
    rows = csv.reader(lines, delimiter="\t")
    for fields in rows:
        yield rows.line_num, fields


def read_zip(path: Path, shown: str) -> Iterator[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((n for n in archive.namelist() if n.endswith("news.tsv")), None)
            if name is None:
                raise missing(path.parent / path.stem / "news.tsv")
            with archive.open(name) as raw:
                yield from io.TextIOWrapper(raw, encoding="utf-8", newline="")
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError) as error:
        raise fail(
            "E0622",
            f"`{shown}` cannot be read to its end",
            "fetch the file again: the download was interrupted or the file is damaged",
            notes=(str(error),),
        ) from None


def missing(path: Path) -> LegoError:
    return missing_file(path, "xMIND", PAGE)
