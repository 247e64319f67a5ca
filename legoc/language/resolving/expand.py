"""Runs to points: every axis gets a value, the first axis slowest, and points are named by value.

Axes are met in this order: the models of a run, its data and what is open inside, its recipe, its
export, then the stages of the model. An axis inside an option that is not chosen is not met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.diagnostics import Diagnostic, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.points import (
    Pick,
    Pipeline,
    Point,
    Record,
    Settings,
    name_point,
)
from legoc.language.resolving.resolved import Resolved
from legoc.language.resolving.select import Patterns
from legoc.language.resolving.template import (
    MOST,
    Choice,
    PipelineTemplate,
    RecordTemplate,
    RunTemplate,
    Sought,
    Sweep,
    count_ways,
)
from legoc.language.resolving.ways import Chosen, Expander, Outcome


@dataclass(frozen=True, eq=False, kw_only=True)
class Expansion:
    """All points of a file. `excluded` are those an `except` takes out; `loose` those of models no
    run names; `spare` the records no run uses, once per choice of their axes."""

    points: tuple[Point, ...]
    excluded: tuple[Point, ...] = ()
    loose: tuple[Point, ...] = ()
    spare: tuple[Record, ...] = ()
    generations: tuple[Record, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, eq=False)
class Way:
    """What a run has chosen so far."""

    chosen: Chosen
    picks: tuple[Pick, ...] = ()
    records: tuple[Record | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Pipelines:
    """Pipelines by their stages, so that equal ones are one object."""

    known: dict[object, Pipeline] = field(default_factory=dict[object, Pipeline])

    def make(self, template: PipelineTemplate, settings: tuple[Settings, ...]) -> Pipeline:
        key = (template, *map(id, settings))
        found = self.known.get(key)
        if found is None:
            stages: tuple[tuple[Role, Span, Settings], ...] = tuple(
                (stage.role, stage.span, made)
                for stage, made in zip(template.stages, settings, strict=True)
            )
            found = Pipeline(template.name, template.span, stages)
            self.known[key] = found
        return found


def expand(resolved: Resolved) -> list[Point]:
    """The points of a file's runs, in order, without those an `except` takes out."""
    return list(expand_all(resolved).points)


def expand_all(resolved: Resolved) -> Expansion:
    """The points of a file with everything a checker may want to know besides."""
    kept: list[Point] = []
    excluded: list[Point] = []
    found: list[Diagnostic] = []
    for run in resolved.runs:
        if count_ways(run) > MOST:
            found.append(too_many(run))
            continue
        points = list(expand_run(run))
        patterns = Patterns(run.excepts)
        for point in points:
            (excluded if patterns.match(point) else kept).append(point)
        found += patterns.unknown(points)
    loose = chain.from_iterable(
        expand_run(run) for run in resolved.loose if count_ways(run) <= MOST
    )
    return Expansion(
        points=tuple(kept),
        excluded=tuple(excluded),
        loose=tuple(loose),
        spare=tuple(chain.from_iterable(map(expand_record, resolved.spare))),
        generations=tuple(chain.from_iterable(map(expand_record, resolved.generations))),
        diagnostics=tuple(found),
    )


def too_many(run: RunTemplate) -> Diagnostic:
    """E0703: nobody trains so many points, and listing them would only fill the memory."""
    return refusal(
        "E0703", run.span, f"a run has about {count_ways(run):,} points",
        f"more than {MOST:,}", "sweep fewer values, or write several runs",
    )  # fmt: skip


def expand_run(run: RunTemplate) -> Iterator[Point]:
    """The points of one run."""
    expander = Expander(*name_axes(run))
    pipelines = Pipelines()
    names = [choice.template.name for choice in run.models]
    # Models of different names give them to their points; else the choice is told as an axis.
    told = len(names) > 1 and (run.name is not None or len(set(names)) < len(names))
    for choice in run.models:
        model = choice.template
        assert isinstance(model, PipelineTemplate)
        name = run.name or model.name
        several = len(names) > 1
        first = (Pick("model", choice.text, not told),) if several else ()
        ways: Sequence[Way] = [Way({}, first)]
        for kind, choices in (
            ("data", run.data),
            ("train", run.train),
            ("export", (run.export,) if run.export else ()),
        ):
            ways = [each for way in ways for each in choose(expander, way, kind, choices)]
        for way in ways:
            yield from follow(run, name, model, way, expander, pipelines)


def choose(expander: Expander, way: Way, kind: str, choices: Sequence[Choice]) -> Iterator[Way]:
    """One record of a run: which, and every way through it."""
    if not choices:
        yield Way(way.chosen, way.picks, (*way.records, None))
    for choice in choices:
        template = choice.template
        assert isinstance(template, RecordTemplate)
        own = (Pick(kind, choice.text, False),) if len(choices) > 1 else ()
        for outcome in expander.outcomes(template, way.chosen):
            assert isinstance(outcome.made, Record)
            yield Way(
                {**way.chosen, **outcome.chosen},
                (*way.picks, *own, *outcome.picks),
                (*way.records, outcome.made),
            )


def follow(
    run: RunTemplate,
    name: str,
    model: PipelineTemplate,
    way: Way,
    expander: Expander,
    pipelines: Pipelines,
) -> Iterator[Point]:
    """The points of one model on one data set with one recipe."""
    data, train, export = way.records
    assert data is not None
    for outcomes in through_stages(model, 0, way.chosen, expander):
        settings = tuple(o.made for o in outcomes if isinstance(o.made, Settings))
        picks = (*way.picks, *(pick for outcome in outcomes for pick in outcome.picks))
        yield Point(
            name_point(name, picks),
            pipelines.make(model, settings),
            data,
            train,
            export,
            run.span,
            run.where_valid,
            {pick.key: pick.text for pick in picks},
            picks,
        )


def through_stages(
    model: PipelineTemplate, place: int, chosen: Chosen, expander: Expander
) -> Iterator[tuple[Outcome, ...]]:
    if place == len(model.stages):
        yield ()
        return
    for outcome in expander.outcomes(model.stages[place].template, chosen):
        known = {**chosen, **outcome.chosen} if outcome.chosen else chosen
        for rest in through_stages(model, place + 1, known, expander):
            yield (outcome, *rest)


def expand_record(template: RecordTemplate) -> Iterator[Record]:
    keys = {sweep.identity: ".".join(path) for path, sweep in template.sweeps}
    for outcome in Expander(keys).outcomes(template, {}):
        assert isinstance(outcome.made, Record)
        yield outcome.made


def name_axes(run: RunTemplate) -> tuple[dict[object, str], dict[object, tuple[str, ...]]]:
    """Each axis of a run by its shortest path that no other axis ends with: `hidden`, where two
    stages have one `content.hidden`; and by its whole path."""
    choices = (*run.data, *run.train, *((run.export,) if run.export else ()), *run.models)
    found: list[tuple[tuple[str, ...], Sweep | Sought]] = [
        each for choice in choices for each in choice.template.sweeps
    ]
    taken = [
        (kind,)
        for kind, group in (("model", run.models), ("data", run.data), ("train", run.train))
        if len(group) > 1
    ]
    paths = {path for path, _ in found} | set(taken)
    short = {path: shorten(path, paths) for path in paths}
    return (
        {sweep.identity: ".".join(short[path]) for path, sweep in found},
        {sweep.identity: path for path, sweep in found},
    )


def shorten(path: tuple[str, ...], paths: set[tuple[str, ...]]) -> tuple[str, ...]:
    for length in range(1, len(path)):
        tail = path[-length:]
        if not any(other != path and other[-length:] == tail for other in paths):
            return tail
    return path
