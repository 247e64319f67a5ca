"""What the numbers of the moment look like: of each part the mean and the share of zeros."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from legoc.data.indexing.context import DAY, HOUR, Context
from legoc.data.indexing.counters import MICROSECONDS
from legoc.data.prepare import Prepared
from legoc.language.ir.spec import Spec


# Rows whose numbers are looked up at once.
ROWS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One number over the rows of one part. zero: the share of rows where it is 0."""

    name: str
    mean: float
    zero: float


def measure_context(prepared: Prepared) -> Mapping[str, tuple[Moment, ...]]:
    """The numbers by part; empty where the spec names none."""
    context = prepared.context
    if context is None:
        return {}
    found: dict[str, tuple[Moment, ...]] = {}
    for part, log in prepared.logs.items():
        total, zero = np.zeros(len(context.names)), np.zeros(len(context.names))
        for start in range(0, log.rows, ROWS):
            numbers = log.numbers(slice(start, start + ROWS))
            assert numbers is not None
            total += numbers.sum(axis=0, dtype=np.float64)
            zero += (numbers == 0).sum(axis=0)
        rows = max(log.rows, 1)
        found[part] = tuple(
            Moment(name=name, mean=float(mean), zero=float(share))
            for name, mean, share in zip(context.names, total / rows, zero / rows, strict=True)
        )
    return found


def warn_of_spans(context: Context | None) -> list[str]:
    """Counts that are still rising when the log ends: an application will see larger ones than
    training has. A share of them rises no further."""
    if context is None or not len(context.times.moments):
        return []
    length = (context.last - int(context.times.moments.min())) / MICROSECONDS
    if not length:
        return [
            "all clicks have one time, and none is before another: what `context` counts is the "
            "same for every item; leave it out"
        ]
    return [
        f"the log has clicks of {write_span(length)}, and `{name}` looks back further: its counts "
        "still rise when the log ends, and beyond what training saw while serving; choose a "
        "shorter span"
        for name, kind, span in zip(context.names, context.kinds, context.spans, strict=True)
        if kind == "popularity" and span is not None and length < span < math.inf
    ]


def warn_of_places(spec: Spec, prepared: Prepared) -> list[str]:
    """Numbers that grow with time where a split puts a click behind what it is compared with."""
    apart = spec.data.group == "user" and prepared.report.candidates in ("rated", "shown")
    if prepared.context is None or spec.data.split.op != "leave_one_out" or not apart:
        return []
    growing = [
        f"`{name}`"
        for name, kind, span in zip(
            prepared.context.names, prepared.context.kinds, prepared.context.spans, strict=True
        )
        if kind == "age" or (kind == "popularity" and span == math.inf)
    ]
    if not growing:
        return []
    verb = "grows" if len(growing) == 1 else "grow"
    return [
        "`split = leave_one_out` compares a user's click with non-clicks before it, and "
        f"{', '.join(growing)} {verb} with time: the place of a click tells it; "
        "write `split = time`"
    ]


def write_span(seconds: float) -> str:
    return f"{seconds / DAY:.1f} days" if seconds >= 2 * DAY else f"{seconds / HOUR:.1f} hours"
