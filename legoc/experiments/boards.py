"""A leaderboard: one metric of systems over several data sets, with what others have published."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from legoc.evaluation.comparison import UNKNOWN
from legoc.experiments.absent import Absent, list_absent
from legoc.experiments.published import Published
from legoc.experiments.table import Cell, Column, Cost, Row, Table


PUBLISHED = ", published"
NO_COST = Cost(parameters=None, cpu=None, memory=None)


@dataclass(frozen=True, kw_only=True)
class Board(Table):
    """A table whose columns are data sets. metric: what is shown; told: a sentence on each of the
    data sets."""

    metric: str = ""
    told: tuple[str, ...] = ()

    def legend(self) -> list[str]:
        """What stands in the columns, and why cells are empty."""
        return [*self.told, *self.notes]


def make_board(
    metric: str,
    tables: Sequence[tuple[str, Table]],
    names: Sequence[str],
    absent: Sequence[Absent],
    published: Published | None,
) -> Board:
    """The board of a metric. tables: of the data sets that have figures; names: of all data sets,
    in order; absent: the cells without figures."""
    found: dict[str, dict[str, Cell]] = {}
    seeds: dict[str, int] = {}
    counted: set[str] = set()
    for data, table in tables:
        for row in table.rows:
            seeds[row.name] = max(row.seeds, seeds.get(row.name, 0))
            if not row.seeds:
                counted.add(row.name)
            own = found.setdefault(row.name, {})
            if metric in row.cells:
                own[data] = row.cells[metric]
    for each in absent:
        found.setdefault(each.name, {})
    rows: list[Row] = []
    told = published_rows(published, metric, names)
    for name, cells in found.items():
        rows.append(row_of(name, seeds.get(name, 0), cells))
        if name in told:
            rows.append(row_of(name + PUBLISHED, 0, told[name]))
    rows += [row_of(name + PUBLISHED, 0, c) for name, c in told.items() if name not in found]
    better: Literal["higher", "lower"] = "higher"
    for _, table in tables:
        better = table.better.get(metric, better)
    first = tables[0][1]
    own = [name for name in found if name not in counted]
    notes = [*list_absent(absent, own), f"mean: over {len(names)} data sets, of rows that have all"]
    if published is not None:
        notes.append(f"published: as {published.name} has them, measured by others")
    marked = any(cell.mark for row in rows for cell in row.cells.values())
    if marked:
        notes.append(
            "best and runner-up of a data set are marked where they are really better than all "
            "behind them"
        )
    return Board(
        metric=metric, part=f"{metric} by data set", group=first.group, groups=0, users=0,
        better={name: better for name in names}, rows=tuple(rows), comparisons=0, warnings=(),
        further=(mean_column(rows, names),), notes=tuple(notes),
        told=tuple(f"on {data}, {table.legend()[0]}" for data, table in tables),
    )  # fmt: skip


def published_rows(
    published: Published | None, metric: str, names: Sequence[str]
) -> dict[str, dict[str, Cell]]:
    """The published figures of a metric by row and data set."""
    made: dict[str, dict[str, Cell]] = {}
    if published is None:
        return made
    for data in names:
        for (_, row, measured), value in published.of(data).figures.items():
            if measured == metric:
                cell = Cell(figure=value, deviation=None, interval=UNKNOWN)
                made.setdefault(row, {})[data] = cell
    return made


def row_of(name: str, seeds: int, cells: dict[str, Cell]) -> Row:
    return Row(name=name, seeds=seeds, cells=cells, cost=NO_COST)


def mean_column(rows: Sequence[Row], names: Sequence[str]) -> Column:
    """The plain mean over all data sets, of the rows that have a figure of each."""
    means: dict[str, float] = {}
    for row in rows:
        figures = [row.cells[name].figure for name in names if name in row.cells]
        if len(figures) == len(names) and not any(map(math.isnan, figures)):
            means[row.name] = fmean(figures)
    return Column(
        title="mean", names=("mean",), texts={name: f"{v:.4f}" for name, v in means.items()},
        values={name: (repr(value),) for name, value in means.items()},
    )  # fmt: skip
