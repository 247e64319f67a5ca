"""Accuracy against cost, and which systems no other is both cheaper and better than."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from legoc.evaluation.comparison import Interval
from legoc.experiments.table import Table


@dataclass(frozen=True, kw_only=True)
class Point:
    """A system. front: whether no other costs at most as much and is at least as good, being
    really less or better in one of both figures."""

    name: str
    cost: float
    figure: float
    interval: Interval
    front: bool = False


def find_points(table: Table, metric: str, cost: str) -> list[Point]:
    """The systems whose figure and cost (`cpu` or `parameters`) are known, cheapest first."""
    points = [
        Point(name=row.name, cost=paid, figure=cell.figure, interval=cell.interval)
        for row in table.rows
        if (paid := getattr(row.cost, cost)) is not None
        and (cell := row.cells.get(metric)) is not None
        and not math.isnan(cell.figure)
    ]
    sign = 1 if table.better[metric] == "higher" else -1
    made = [replace(point, front=on_front(point, points, sign)) for point in points]
    return sorted(made, key=lambda point: (point.cost, -sign * point.figure))


def on_front(point: Point, points: Sequence[Point], sign: int) -> bool:
    return not any(
        other.cost <= point.cost
        and sign * other.figure >= sign * point.figure
        and (other.cost < point.cost or other.figure != point.figure)
        for other in points
    )
