"""A file, all the way to its specs: the one entrance to the front end."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.diagnosing.diagnostics import Diagnostic, Label, LegoError, SpecError
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Spec
from legoc.language.resolving.expand import Expansion, expand_all
from legoc.language.resolving.points import Point
from legoc.language.resolving.resolve import resolve
from legoc.language.resolving.resolved import Resolved
from legoc.language.resolving.select import select
from legoc.language.typing.exports import check_bundles
from legoc.language.typing.lower import Lowered, Lowering


if TYPE_CHECKING:
    from legoc.language.ir.generation import Generation


# What `where valid` drops: combinations that do not fit. A mistake in one part alone is an error.
DROPPED = (
    "E0401", "E0402", "E0403", "E0404", "E0501", "E0503", "E0504", "E0507", "E0508", "E0605",
    "E0607", "E0804",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found.

    points: all points in order, those that `where valid` drops included; loose: those of models
    that no run names. dropped: how many `where valid` dropped, by code. excluded: how many `except`
    took out besides. suggestion: for a file without a run, the line to add. generations:
    what models shall write.
    """

    specs: tuple[Spec, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    points: tuple[Point, ...] = ()
    loose: tuple[Point, ...] = ()
    excluded: int = 0
    suggestion: str | None = None
    generations: "tuple[Generation, ...]" = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


class Messages:
    """Collects diagnostics; one root cause is kept once, however many points it spoils."""

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], Diagnostic] = {}

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            places = [(d.span.path, d.span.start, d.span.end) for d in diagnostic.labels]
            subject = tuple(sorted(places)) or (diagnostic.message,)
            self.found.setdefault((diagnostic.code, *subject), diagnostic)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Errors before warnings; within them files as they were met, and each file downwards."""
        paths: dict[str, int] = {}

        def place(diagnostic: Diagnostic) -> tuple[bool, int, int]:
            span = diagnostic.primary
            warning = diagnostic.severity != "error"
            if span is None:
                return warning, -1, 0
            return warning, paths.setdefault(span.path, len(paths)), span.start

        return tuple(sorted(self.found.values(), key=place))


def check(
    path: "str | os.PathLike[str] | Document",
    *,
    overrides: Sequence[str] = (),
    only: str | None = None,
    known: Catalog | None = None,
) -> Checked:
    """Everything up to the typed specs of a file. A mistake in it is a diagnostic, never raised.

    overrides: as `--set` takes them; only: as `--only` does; known: other declarations than those
    that ship.
    """
    try:
        lowering = Lowering(known if known is not None else catalog())
    except LegoError as error:
        return Checked(diagnostics=tuple(error.diagnostics))
    resolved = resolve(path, overrides, known=known)
    checked = check_resolved(resolved, lowering, only)
    if not resolved.overrides or checked.errors:
        return checked
    from legoc.language.typing.effects import idle_overrides

    messages = Messages()
    messages.add(checked.diagnostics)
    messages.add(idle_overrides(resolved, lowering, only))
    return replace(checked, diagnostics=messages.sorted())


def check_resolved(resolved: Resolved, lowering: Lowering, only: str | None = None) -> Checked:
    """The rest of a check, for a file whose names are resolved."""
    messages = Messages()
    try:
        expansion = expand_all(resolved)
        messages.add(resolved.diagnostics)
        messages.add(expansion.diagnostics)
        points = expansion.points if only is None else select(expansion.points, only)
    except LegoError as error:
        messages.add(error.diagnostics)
        return Checked(diagnostics=messages.sorted())
    specs: list[Spec] = []
    dropped: dict[str, int] = {}
    for run in by_run(points):
        specs += check_run(run, lowering, messages, dropped)
    excluded = count_excluded(expansion.excluded, lowering, dropped)
    messages.add(emptied(expansion))
    for run in by_run(expansion.loose):
        check_run(run, lowering, messages, {})
    for record in expansion.spare:
        messages.add(lowering.record(record))
    generations: list[Generation] = []
    for record in expansion.generations:
        lowered = lowering.generation(record)
        messages.add(lowered.problems)
        generations += () if lowered.generation is None else (lowered.generation,)
    messages.add(unused(resolved))
    if resolved.copied:
        from legoc.language.typing.effects import idle_copies

        messages.add(idle_copies(resolved.copied, lowering))
    if resolved.stated:
        from legoc.language.resolving.spec_form import stale

        messages.add(stale(resolved.stated, specs))
    return Checked(
        specs=tuple(specs),
        diagnostics=messages.sorted(),
        dropped=dict(sorted(dropped.items())),
        points=tuple(points),
        loose=expansion.loose,
        excluded=excluded,
        suggestion=suggest_run(expansion) if not resolved.runs else None,
        generations=tuple(generations),
    )


def load(
    path: "str | os.PathLike[str] | Document",
    *,
    overrides: Sequence[str] = (),
    only: str | None = None,
    known: Catalog | None = None,
) -> list[Spec]:
    """The specs of a file, or SpecError with everything that is wrong with it."""
    checked = check(path, overrides=overrides, only=only, known=known)
    if checked.errors:
        raise SpecError(*checked.errors)
    return list(checked.specs)


def by_run(points: Iterable[Point]) -> list[list[Point]]:
    """Points of one `run` together, in order."""
    found: dict[tuple[str, int], list[Point]] = {}
    for point in points:
        found.setdefault((point.run.path, point.run.start), []).append(point)
    return list(found.values())


def check_run(
    points: Sequence[Point], lowering: Lowering, messages: Messages, dropped: dict[str, int]
) -> list[Spec]:
    """The specs of one run. Points that `where valid` drops are counted by their first code."""
    specs: list[Spec] = []
    gone: dict[str, tuple[int, Diagnostic]] = {}
    clean = True
    for point in points:
        lowered = lowering.lower(point)
        reason = droppable(lowered) if point.where_valid else None
        if reason is None:
            messages.add(lowered.problems)
            if lowered.spec is not None:
                specs.append(lowered.spec)
            else:
                clean = False
            continue
        messages.add(p for p in lowered.problems if p.severity == "warning")
        count, first = gone.get(reason.code, (0, reason))
        gone[reason.code] = (count + 1, first)
    for code, (count, _) in gone.items():
        dropped[code] = dropped.get(code, 0) + count
    if gone and not specs and clean:
        messages.add((nothing_left(points, gone),))
    messages.add(check_bundles(specs, points[0].run))
    return specs


def count_excluded(points: Sequence[Point], lowering: Lowering, dropped: dict[str, int]) -> int:
    """How many points `except` alone takes out. Those that `where valid` would drop anyway are
    counted with what it drops."""
    count = 0
    for point in points:
        reason = droppable(lowering.lower(point)) if point.where_valid else None
        if reason is None:
            count += 1
        else:
            dropped[reason.code] = dropped.get(reason.code, 0) + 1
    return count


def droppable(lowered: Lowered) -> Diagnostic | None:
    """The first reason to drop a point, if its only errors are of that sort."""
    errors = [problem for problem in lowered.problems if problem.severity == "error"]
    if not errors or any(error.code not in DROPPED for error in errors):
        return None
    return errors[0]


def nothing_left(points: Sequence[Point], gone: Mapping[str, tuple[int, Diagnostic]]) -> Diagnostic:
    span = points[0].run
    name = points[0].name.partition("[")[0]
    width = max(len(str(count)) for count, _ in gone.values())
    noun = "point" if len(points) == 1 else "points"
    return Diagnostic(
        code="E0701",
        message=f"no point of `{name}` is well typed",
        labels=(Label(span=span, text=f"{len(points)} {noun}, 0 kept", primary=True),),
        notes=tuple(
            f"{count:>{width}} dropped by {code}: first, {first.message}"
            for code, (count, first) in gone.items()
        ),
        help=(f"`legoc check {span.path} --points` lists them",),
    )


def emptied(expansion: Expansion) -> Iterable[Diagnostic]:
    """Runs of which `except` left nothing."""
    left = {(point.run.path, point.run.start) for point in expansion.points}
    for run in by_run(expansion.excluded):
        if (run[0].run.path, run[0].run.start) in left:
            continue
        yield Diagnostic(
            code="E0701",
            message=f"no point of `{run[0].name.partition('[')[0]}` is left",
            labels=(
                Label(span=run[0].run, text=f"all {len(run)} points are excluded", primary=True),
            ),
            help=("drop or narrow its `except`",),
        )


def suggest_run(expansion: Expansion) -> str | None:
    """The line that would run the first model of a file."""
    if not expansion.loose:
        return None
    point = expansion.loose[0]
    recipes = [record.name for record in expansion.spare if record.kind == "train"]
    recipe = f" with {recipes[0]}" if recipes else ""
    return f"run {point.model.name} on {point.data.name}{recipe}"


def unused(resolved: Resolved) -> Iterable[Diagnostic]:
    for word in resolved.unused:
        yield Diagnostic(
            code="W101",
            severity="warning",
            message=f"`{word.text}` is never used",
            labels=(Label(span=word.span, text="nothing this file runs needs it", primary=True),),
            help=("drop it, or use it",),
        )
