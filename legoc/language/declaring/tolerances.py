"""Metrics with the most that they may lose: what `export { tolerate = ... }` takes.

They are operators of a role of their own, each declared as its metric is and with one parameter
more. Nobody writes them down: they follow from the metrics that there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind, Param


TOLERANCE = "tolerance"
LOSS = Param(
    name="loss", kind=Kind("float"), above=0,
    doc="most that the metric may lose by weights that are stored in fewer bytes",
)  # fmt: skip


def tolerated(metric: Declaration) -> Declaration:
    """A metric that is called with a loss as well."""
    return replace(
        metric, role=TOLERANCE, params=(*metric.params, LOSS), example=write_example(metric)
    )


def all_tolerated(metrics: Iterable[Declaration]) -> Mapping[str, Declaration]:
    """Those of all metrics, by name; a metric that has a `loss` of its own cannot be given one."""
    return {d.name: tolerated(d) for d in metrics if d.param(LOSS.name) is None}


def write_example(metric: Declaration) -> str:
    """`NDCG(10)` with a loss: `NDCG(10, loss=0.001)`."""
    name, _, rest = (metric.example or metric.name).partition("(")
    given = f"{rest.removesuffix(')')}, " if rest else ""
    return f"{name}({given}loss=0.001)"
