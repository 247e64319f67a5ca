"""W102: overrides without effect. One is written to change something; without one that does not,
the same specs come out.

That is asked of the specs themselves, so it holds however the value is written and whatever takes
its place. A recipe or a model that merely repeats a default is no such case: those are written out
for the reader.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import cast

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic, Label, LegoError
from legoc.language.diagnosing.document import Document
from legoc.language.ir.digest import effective_patience
from legoc.language.ir.spec import Train
from legoc.language.resolving.declared import Copied
from legoc.language.resolving.expand import expand_all, expand_record, expand_run
from legoc.language.resolving.override import Trace
from legoc.language.resolving.points import Argument, Given, Measure, Point, Record, Settings
from legoc.language.resolving.replacing import Made
from legoc.language.resolving.resolved import Resolved, demo
from legoc.language.resolving.select import select
from legoc.language.resolving.template import (
    Called,
    Choice,
    Leaf,
    Listed,
    RecordTemplate,
    RunTemplate,
    Sought,
    Template,
    count_ways,
    find_sweeps,
)
from legoc.language.resolving.wording_overrides import changes_nothing
from legoc.language.syntax import tree
from legoc.language.typing.lower import Lowering
from legoc.language.typing.lower_data import lower_data
from legoc.language.typing.lower_train import lower_export, lower_train


# A copied model with more ways through it is not compared.
MOST = 2_000


def idle_copies(copied: Iterable[Copied], lowering: Lowering) -> Iterator[Diagnostic]:
    """The fields of copies without which the copy is the same. What a param gives may be set from
    outside, and an axis names points: both are left alone."""
    for each in copied:
        field = each.field
        if any(isinstance(part, tree.Axis | tree.Variable) for part in tree.walk(field)):
            continue
        if each.old is not None and (unlike(each.old, each.new) or is_open(each.old)):
            continue
        if not alike(each.made, each.without, lowering):
            continue
        what = "has this value already" if each.old else "has this value by default"
        yield changes_nothing(
            f"`{field.key.text}` of `{each.name}` {what}",
            field.span,
            *((Label(span=each.old.span, text="already here"),) if each.old else ()),
            help="drop it, or write another value",
        )


def is_open(template: Template) -> bool:
    """Whether a search is to find something of it: then one value of it is another thing."""
    return any(isinstance(axis, Sought) for _, axis in find_sweeps(template, ()))


def unlike(old: Template, new: Template) -> bool:
    """Whether two values differ at first sight, as almost all do: then nothing is lowered."""
    match old, new:
        case Leaf(given=one), Leaf(given=other):
            values = (one.value, other.value)
            return not any(isinstance(v, str | Measure) for v in values) and values[0] != values[1]
        case Listed(), Listed():
            return len(old.items) != len(new.items) or any(map(unlike, old.items, new.items))
        case Called(), Called():
            return old.name != new.name
        case _:
            return False


def alike(one: Made, other: Made, lowering: Lowering) -> bool:
    """Whether two declarations mean the same. One that is not sound means nothing."""
    found = zip_longest(meanings(one, lowering), meanings(other, lowering))
    return all(first is not None and first == second for first, second in found)


def meanings(made: Made, lowering: Lowering) -> Iterator[object]:
    """What a declaration means, once per way through its axes; None where it is not sound."""
    if not isinstance(made, RecordTemplate):
        model = Choice(made.name, made)
        data = Choice("Demo", demo(made.span))
        run = RunTemplate(name=None, span=made.span, models=(model,), data=(data,))
        if count_ways(run) <= MOST:
            yield from (lowering.model(point.model).calls for point in expand_run(run))
        else:
            yield None
        return
    for record in expand_record(made):
        yield from meanings_of(record, lowering)


def meanings_of(record: Record, lowering: Lowering) -> Iterator[object]:
    catalog = lowering.catalog
    match record.kind:
        case "data":
            yield lower_data(record, catalog).data
        case "generate":
            yield lowering.generation(record).generation
        case "train":
            # The task that holds unless one is given is the predictor's, and the content says
            # whether words are dropped.
            for predictor in by_task(catalog):
                for words in (True, False):
                    yield lower_train(record, predictor, record.span, catalog, words=words).train
        case _:
            yield lower_export(record, record.span, catalog).export


def by_task(catalog: Catalog) -> Iterable[Declaration]:
    """A predictor for each task that is some predictor's default."""
    found: dict[str, Declaration] = {}
    for predictor in catalog.role("predict"):
        found.setdefault(predictor.tasks[0], predictor)
    return found.values()


def idle_overrides(
    resolved: Resolved, lowering: Lowering, only: str | None = None
) -> Iterator[Diagnostic]:
    """Each `--set` without which the same comes out. An idle one is left out when the others are
    judged, so that of two that say the same one counts."""
    kept = list(resolved.overrides)
    for trace in resolved.overrides:
        rest = [each for each in kept if each is not trace]
        assert resolved.again is not None
        other = resolved.again([each.override.document.text for each in rest])
        found = list(
            zip_longest(outcomes(other, lowering, only), outcomes(resolved, lowering, only))
        )
        if all(first == second for first, second in found):
            kept = rest
            yield without_effect(trace, *what_counts(resolved, only))
        elif all(settle(first) == settle(second) for first, second in found):
            kept = rest
            yield beyond_the_end(trace)


def what_counts(resolved: Resolved, only: str | None) -> tuple[Sequence[Point], Sequence[Record]]:
    """The points a file runs; of a file that runs nothing, all it declares."""
    try:
        expansion = expand_all(resolved)
        points = expansion.points if only is None else select(expansion.points, only)
    except LegoError:
        return (), ()
    return (points, ()) if points else (expansion.loose, expansion.spare)


def settle(outcome: object) -> object:
    """An outcome with the patience that its epochs leave room for: more of it is the same."""
    if isinstance(outcome, tuple):
        return tuple(settle(part) for part in cast("tuple[object, ...]", outcome))
    if isinstance(outcome, Train):
        return replace(outcome, patience=effective_patience(outcome))
    return outcome


def beyond_the_end(trace: Trace) -> Diagnostic:
    """W102 for a patience that no training has the epochs to lose."""
    key = trace.override.key
    found = changes_nothing(
        f"`--set {trace.override.document.text.strip()}` changes nothing", key.span,
        help="drop it, or write fewer than `epochs`",
    )  # fmt: skip
    return replace(found, notes=("training has ended with its epochs by then",))


def outcomes(resolved: Resolved, lowering: Lowering, only: str | None) -> Iterator[object]:
    """What a file comes to, one by one."""
    points, records = what_counts(resolved, only)
    for point in points:
        spec = lowering.lower(point).spec
        if spec is not None:
            yield spec.model, spec.data, spec.train, spec.export, spec.search
    for record in records:
        yield from meanings_of(record, lowering)


def without_effect(trace: Trace, points: Sequence[Point], records: Sequence[Record]) -> Diagnostic:
    """W102 with the reason: what stands in its place, what stood there before, or nothing."""
    override = trace.override
    document = override.document
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    if any(document is each for each in documents_of(points, records)):
        help = "drop it, or write another value"
        if trace.before is not None:
            labels = (Label(span=trace.before, text="already here"),)
        else:
            notes = ("this is the default",)
    elif trace.behind is not None:
        labels = (Label(span=trace.behind, text="replaced here"),)
        help = "drop one of the two"
        if trace.behind.document.path != document.path:
            rest = document.text[trace.inside :]
            help = f"drop it, or use `${trace.target}` there"
            if trace.kind is not None:
                help = f"`--set {trace.kind}.{rest}` comes last and reaches every point"
    else:
        notes = (f"nothing that runs depends on `{trace.target or override.key.text}`",)
        help = "drop it, or name what does"
    found = changes_nothing(
        f"`--set {document.text.strip()}` changes nothing", override.key.span, *labels, help=help
    )
    return replace(found, notes=notes)


def documents_of(points: Sequence[Point], records: Sequence[Record]) -> Iterator[Document]:
    """The documents that parts of points and records come from."""
    for point in points:
        for _, span, settings in point.model.stages:
            yield span.document
            yield from documents_at(Given(settings, settings.span))
    of_points = (each for p in points for each in (p.data, p.train, p.export) if each is not None)
    for record in dict.fromkeys((*of_points, *records)):
        yield from documents_in(record.fields.values())


def documents_in(arguments: Iterable[Argument]) -> Iterator[Document]:
    for argument in arguments:
        yield argument.name_span.document
        yield from documents_at(argument.given)


def documents_at(given: Given) -> Iterator[Document]:
    yield given.span.document
    if isinstance(given.value, Settings):
        yield from documents_in(given.value.args.values())
        for each in given.value.positional:
            yield from documents_at(each)
    elif isinstance(given.value, tuple):
        for each in given.value:
            yield from documents_at(each)
