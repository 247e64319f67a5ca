"""MicroLens (Ni et al., 2023): short videos, by their titles."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.formats.delimited import read_table
from legoc.data.formats.opened import decode, missing_file, read_lines
from legoc.data.formats.times import decide_times
from legoc.data.staging.clicked import Clicked
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.graded import scan, stage_items, stage_log
from legoc.data.staging.losses import Losses
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, Folder, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress
from legoc_runtime.dates import read_meanings


if TYPE_CHECKING:
    import duckdb


PAGE = "https://github.com/westlake-repl/MicroLens"
LICENCE = "MicroLens: no modified copies and no second-hand downloads; get it from its publisher."
# 50k, 100k and 1M call their titles by names of their own.
TITLES = ("_titles.csv", "_title_en.csv", "_title.csv")
PAIRS = ("_pairs.csv", "_pairs.tsv")


@operator(
    "source",
    "MicroLens",
    version=2,
    paper="MicroLens",
    primary="path",
    attributes=(Attribute(name="title", kind="text", length=20),),
    group="user",
    splits=("recbench", "legommenders"),
    content="[title]",
    facts={"page": PAGE, "licence": LICENCE, "candidates": "drawn"},
)
class MicroLens(Clicked):
    """MicroLens, 50k, 100k or larger: who watched which video, without impressions.

    The folder holds `MicroLens-50k_titles.csv`, `MicroLens-100k_title_en.csv` or
    `MicroLens-1M_title.csv`, and the pairs (`..._pairs.csv`, with times, or `..._pairs.tsv`, in
    their order). Where it holds several sizes, name the common beginning:
    `MicroLens("raw/MicroLens-50k")`.
    """

    class Config(Clicked.Config):
        path: Folder = param(doc="The folder of the files, or their common beginning.")

    example = 'source = MicroLens("raw/MicroLens-50k")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        """Titles and pairs of one size."""
        root = Path(self.config.path)
        folder, start = (root, "") if root.is_dir() else (root.parent, root.name)
        here = sorted(p for p in folder.glob("*") if p.name.startswith(start) and p.is_file())
        titles = {cut: path for path in here for cut in beginning(path, TITLES)}
        pairs: dict[str, Path] = {}
        for ending in PAIRS:
            for path in here:
                for cut in beginning(path, (ending,)):
                    pairs.setdefault(cut, path)
        both = [name for name in titles if name in pairs]
        if len(both) > 1:
            raise fail(
                "E0620",
                f"`{folder}` holds more than one MicroLens: "
                f"{', '.join(f'`{name}`' for name in both)}",
                f'name one of them, such as `MicroLens("{folder / both[0]}")`',
            )
        if not both:
            name = next(iter([*titles, *pairs]), start or "MicroLens-50k")
            lacking = f"{name}{TITLES[0] if name not in titles else PAIRS[0]}"
            raise missing_file(folder / lacking, "MicroLens", PAGE)
        return [titles[both[0]], pairs[both[0]]]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        titles, pairs = self.files()
        losses = Losses()
        progress.say(f"reading {titles.name} and {pairs.name} of MicroLens")
        items, log = staging / "items.parquet", staging / "log.parquet"
        with stage_items(items, {"title": "text"}) as staged:
            for line, item, title in read_titles(titles, losses):
                staged.add(titles.name, line, item, title)
        with stage_log(log) as staged:
            for line, user, item, time in read_pairs(pairs, losses):
                staged.add(pairs.name, line, user, item, None, time)
        timed = is_timed(pairs)
        drops = build_clicks(connection, scan(items), scan(log), ("title",), listed=not timed)
        return Extracted(
            parts=(Published(name="log", labelled=True),),
            drops=(*losses.drops(), *drops),
            notes=()
            if timed
            else ("the pairs have no times: the place in a user's list is taken for it",),
            order="time" if timed else "list",
            feedback=Feedback(
                graded=False, negatives=self.config.negatives, seed=self.config.seed, text="title"
            ),
        )


def beginning(path: Path, endings: Sequence[str]) -> Iterator[str]:
    """The name of a file without one of the endings, plain or compressed."""
    name = path.name.removesuffix(".gz")
    for ending in endings:
        if name.endswith(ending):
            yield name.removesuffix(ending)


def read_titles(path: Path, losses: Losses) -> Iterator[tuple[int, str, str]]:
    """Line, id and title. The 50k file has a header and the 100k file none; a title may hold
    commas, begin with a blank, and is not quoted unless it is whole."""
    for number, raw in read_lines(path, path.name):
        text = decode(raw, number, path.name).rstrip("\r\n")
        item, comma, title = text.partition(",")
        if number == 1 and item.strip().lower() in ("item", "video_id", "id"):
            continue
        if not comma:
            if text.strip():
                place = f"{path.name}:{number}: {text[:40]}"
                losses.add("row with another number of columns", "dropped", "titles", place)
            continue
        title = title.strip()
        if len(title) > 1 and title[0] == title[-1] == '"':
            title = title[1:-1].replace('""', '"')
        yield number, item.strip(), title


def read_pairs(path: Path, losses: Losses) -> Iterator[tuple[int, str, str, int | None]]:
    """Line, user, video and time of every click; no times where the pairs have none."""
    if is_timed(path):
        columns = ("user", "item", "timestamp")
        times = (time for _, (time,) in read_table(path, path.name, columns[2:], Losses(), "log"))
        rule = decide_times(times, columns[2], path.name)
        for line, (user, item, time) in read_table(path, path.name, columns, losses, "log"):
            yield line, user, item, rule.read(read_meanings(time))
        return
    for number, raw in read_lines(path, path.name):
        user, _, rest = decode(raw, number, path.name).rstrip("\r\n").partition("\t")
        for item in rest.split():
            yield number, user, item, None


def is_timed(pairs: Path) -> bool:
    """Whether the pairs have times; else a line lists what a user watched, in order."""
    return ".csv" in pairs.name
