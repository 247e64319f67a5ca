"""Figures that others have published, beside those of runs: a CSV of row, metric and value, and of
the data set before them where there are several."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from legoc.experiments.naming import without_axis
from legoc.experiments.table import Column
from legoc.language.diagnosing.diagnostics import LegoError, fail


TITLES = ["row", "metric", "value"]
OF_SEVERAL = ["data", *TITLES]


@dataclass(frozen=True, kw_only=True)
class Published:
    """Figures by data set, row and metric, in the order of their file; the data set is empty where
    the file names none."""

    name: str
    figures: dict[tuple[str, str, str], float]

    @property
    def rows(self) -> list[str]:
        return list(dict.fromkeys(row for _, row, _ in self.figures))

    @property
    def metrics(self) -> list[str]:
        return list(dict.fromkeys(metric for _, _, metric in self.figures))

    def of(self, data: str) -> "Published":
        """Those of one data set, and those of none."""
        own = {
            ("", row, metric): value
            for (named, row, metric), value in self.figures.items()
            if named in ("", data)
        }
        return Published(name=self.name, figures=own)


def read_published(path: Path) -> Published:
    """The figures of a file, whose lines that begin with `#` are comments. E0587 for what is no
    such file."""
    figures: dict[tuple[str, str, str], float] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [(at, line) for at, line in enumerate(file, start=1) if is_read(line)]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise unreadable(path, f"cannot be read: {why}") from None
    rows = list(csv.reader(line for _, line in lines))
    titles = OF_SEVERAL if rows and rows[0] == OF_SEVERAL else TITLES
    if not rows or rows[0] != titles:
        raise unreadable(path, f"does not begin with the columns `{','.join(TITLES)}`")
    for (at, _), cells in zip(lines[1:], rows[1:], strict=False):
        if len(cells) != len(titles):
            raise unreadable(path, f"has {len(cells)} cells in line {at}, not {len(titles)}")
        *before, row, metric, text = (cell.strip() for cell in cells)
        data = before[0] if before else ""
        value = number(text)
        if value is None:
            raise unreadable(path, f"has no number in line {at}: `{text}`")
        if (data, row, metric) in figures:
            on = f" on {data}" if data else ""
            raise unreadable(path, f"has the {metric} of {row}{on} again in line {at}")
        figures[data, row, metric] = value
    return Published(name=path.name, figures=figures)


def is_read(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def unreadable(path: Path, why: str) -> LegoError:
    return fail(
        "E0587",
        f"`{path}` {why}",
        "write a line `row,metric,value` and below it lines such as `naml,GAUC,0.6175`",
    )


def published_columns(
    published: Published, metrics: Sequence[str], names: Sequence[str]
) -> tuple[list[Column], str]:
    """A column for each published metric that some row has, those of the table first, and a
    sentence on what they are."""
    plain = {name: without_axis(name, "data") for name in names}
    own = [metric for metric in metrics if metric in published.metrics]
    others = [metric for metric in published.metrics if metric not in metrics]
    columns: list[Column] = []
    for metric in (*own, *others):
        found = {
            name: published.figures["", told, metric]
            for name in names
            for told in dict.fromkeys((name, plain[name]))
            if ("", told, metric) in published.figures
        }
        if found:
            columns.append(Column(
                title=f"{metric} published", names=(f"{metric} published",),
                texts={name: f"{value:.4f}" if metric in own else f"{value:g}"
                       for name, value in found.items()},
                values={name: (repr(value),) for name, value in found.items()},
            ))  # fmt: skip
    known = {*names, *plain.values()}
    here = sum(row in known for row in published.rows)
    note = f"published: {here} of the {len(published.rows)} rows of {published.name} are here"
    return columns, note
