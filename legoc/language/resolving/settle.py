"""Points with what a search has found: every range a value, every name as if it stood there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from legoc.language.resolving.points import (
    Argument,
    Given,
    Measure,
    Pick,
    Pipeline,
    Point,
    Range,
    Record,
    Settings,
    name_point,
)
from legoc.language.resolving.ranges import BASES, FRACTIONS
from legoc.language.resolving.show import show


# Significant digits of a proposal: enough to search by, few enough to write into a paper.
DIGITS = 4
# Tried, besides both ends, where a rule binds a range to another setting: heads divide a width.
# Twelve heads want a multiple of twelve, so multiples of odd numbers come behind the powers of two.
WIDTHS = (
    *(2**power for power in range(31)),
    *(odd * 2**power for power in range(13) for odd in range(3, 16, 2)),
)


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A range as numbers, all in `unit`. whole: only whole numbers lie in it."""

    low: int | float
    high: int | float
    log: bool
    unit: str
    whole: bool

    def nearest(self, value: float) -> int | float:
        """The value of the range that a proposal is written as."""
        if self.whole:
            return min(max(round(value), int(self.low)), int(self.high))
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def write(self, value: float) -> str:
        return f"{value!r}{self.unit}"


def ends(found: Range) -> Ends:
    """The ends of a range in the unit of its lower one, a fraction where the upper one needs it."""
    low, high = found.low.value, found.high.value
    unit = low.unit if isinstance(low, Measure) else ""
    first, last = number(low), number(high)
    if isinstance(high, Measure) and high.unit != unit:
        scaled = last * BASES[high.unit][1] / BASES[unit][1]
        last = int(scaled) if scaled == int(scaled) else scaled
    whole = isinstance(first, int) and isinstance(last, int) and unit not in FRACTIONS
    if not whole:
        first, last = float(first), float(last)
    return Ends(low=first, high=last, log=found.log, unit=unit, whole=whole)


def number(value: object) -> int | float:
    if isinstance(value, Measure):
        return value.number
    assert isinstance(value, int | float)
    return value


def settle(point: Point, values: Mapping[str, int | float]) -> Point:
    """A point with a value for each range, which `values` names by its axis: nothing of it is to be
    searched any more."""
    settled = Settled(values)
    picks = tuple(settled.pick(pick) for pick in point.picks)
    base = point.name.removesuffix(name_point("", point.picks))
    return replace(
        point,
        name=name_point(base, picks),
        model=settled.pipeline(point.model),
        data=settled.record(point.data),
        train=settled.record(point.train) if point.train is not None else None,
        export=settled.record(point.export) if point.export is not None else None,
        choices={pick.key: pick.text for pick in picks},
        picks=picks,
    )


@dataclass(frozen=True, eq=False)
class Settled:
    """Rewrites the parts of one point; a part without a range stays the object it is."""

    values: Mapping[str, int | float]

    def pick(self, pick: Pick) -> Pick:
        if pick.made is None:
            return pick
        made = self.given(pick.made)
        text = pick.text if made is pick.made else show(made)
        return replace(pick, made=made, text=text, searched=False)

    def pipeline(self, pipeline: Pipeline) -> Pipeline:
        stages = tuple(
            (role, span, self.settings(settings)) for role, span, settings in pipeline.stages
        )
        same = all(new[2] is old[2] for new, old in zip(stages, pipeline.stages, strict=True))
        return pipeline if same else replace(pipeline, stages=stages)

    def record(self, record: Record) -> Record:
        fields = self.arguments(record.fields)
        return record if fields is record.fields else replace(record, fields=fields)

    def arguments(self, found: Mapping[str, Argument]) -> Mapping[str, Argument]:
        made = {name: self.argument(each) for name, each in found.items()}
        same = all(made[name] is found[name] for name in found)
        return found if same else made

    def argument(self, argument: Argument) -> Argument:
        given = self.given(argument.given)
        return argument if given is argument.given else replace(argument, given=given)

    def settings(self, settings: Settings) -> Settings:
        args = self.arguments(settings.args)
        positional = tuple(self.given(each) for each in settings.positional)
        same = all(one is other for one, other in zip(positional, settings.positional, strict=True))
        if same and args is settings.args:
            return settings
        return replace(settings, args=args, positional=positional)

    def given(self, given: Given) -> Given:
        value = given.value
        if isinstance(value, Range):
            return self.found(given, value)
        if isinstance(value, Settings):
            made = self.settings(value)
            return given if made is value else replace(given, value=made)
        if isinstance(value, tuple):
            parts = tuple(self.given(each) for each in value)
            same = all(one is other for one, other in zip(parts, value, strict=True))
            return given if same else replace(given, value=parts)
        return given

    def found(self, given: Given, range: Range) -> Given:
        value, told = self.values[range.key], ends(range)
        made = Measure(value, told.unit) if told.unit else value
        return replace(given, value=made, shown=told.write(value))


def witnesses(point: Point) -> Iterator[Mapping[str, int | float]]:
    """Values that show, if any of them do, that a point with ranges has a model: both ends, and the
    widths that most rules are made for."""
    told = {found.key: ends(found) for found in point.ranges}
    yield {key: each.low for key, each in told.items()}
    yield {key: each.high for key, each in told.items()}
    for width in WIDTHS:
        if any(each.low < width < each.high for each in told.values()):
            yield {key: each.nearest(width) for key, each in told.items()}
