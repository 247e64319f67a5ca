"""Runs as templates: which models on which data with which recipe."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.resolving.declared import Declarations, Unresolved
from legoc.language.resolving.template import Choice, RecordTemplate, RunTemplate
from legoc.language.resolving.values import given_twice
from legoc.language.syntax import tree


def describe_run(
    run: tree.Run, declarations: Declarations, report: Callable[[Diagnostic], None]
) -> RunTemplate:
    """A run with its names resolved. Every mistake in it is reported; then Unresolved is raised."""
    models = choices(run.models, "model", declarations)
    data = choices(run.data, "data", declarations)
    train = choices(run.train, "train", declarations)
    export = choices((run.export,) if run.export else (), "export", declarations)
    train = train or overridden_defaults("train", run, declarations)
    export = export or overridden_defaults("export", run, declarations)
    for refs in (run.models, run.data, run.train):
        report_repeated_refs(refs, report)
    found = [each for group in (models, data, train, export) for each in group]
    kept = [choice for choice in found if choice is not None]
    if len(kept) < len(found):
        raise Unresolved
    sizes = [len(models), len(data), len(train)]
    last = sum(sizes)
    return RunTemplate(
        name=run.name.text if run.name else None,
        span=run.head,
        models=tuple(kept[: sizes[0]]),
        data=tuple(kept[sizes[0] : sizes[0] + sizes[1]]),
        train=tuple(kept[sizes[0] + sizes[1] : last]),
        export=kept[last] if len(kept) > last else None,
        where_valid=run.where_valid,
        excepts=tuple(c.pattern for c in run.clauses if isinstance(c, tree.Except)),
    )


def overridden_defaults(
    kind: str, run: tree.Run, declarations: Declarations
) -> list[Choice | None]:
    """Without `with` or `as` the defaults hold, and `--set train.lr=...` can override those too."""
    if not declarations.overrides.of_kind(kind):
        return []
    defaults = RecordTemplate(kind, "", run.head, {})
    return [Choice("", declarations.of_kind(kind, defaults))]


def choices(
    refs: Sequence[tree.Invocation], kind: str, declarations: Declarations
) -> list[Choice | None]:
    """What each reference of a run means; None where that has been reported."""
    found: list[Choice | None] = []
    if refs:
        declarations.overrides.of_kind(kind)
    for ref in refs:
        try:
            made = declarations.guard(
                lambda ref=ref: declarations.of_kind(
                    kind, declarations.reference(declarations.main, ref, kind)
                )
            )
        except Unresolved:
            found.append(None)
        else:
            found.append(Choice(shown(ref, made.name), made))
    return found


def shown(ref: tree.Invocation, name: str) -> str:
    """A reference as it is named in points: without the arguments that hold an axis or a param,
    which go by their own names."""
    args = ref.args.values if ref.args else ()
    kept = [
        " ".join(field.span.text.split())
        for field in args
        if isinstance(field, tree.Field)
        and not any(isinstance(part, tree.Axis | tree.Variable) for part in tree.walk(field))
    ]
    return f"{ref.path.text}({', '.join(kept)})" if kept else ref.path.text


def report_repeated_refs(
    refs: Sequence[tree.Invocation], report: Callable[[Diagnostic], None]
) -> None:
    seen: dict[object, tree.Invocation] = {}
    for ref in refs:
        first = seen.setdefault(tree.outline(ref), ref)
        if first is not ref:
            report(given_twice(f"`{ref.span.text}`", ref.span, first.span))


def run_names(items: Iterable[tree.Item]) -> Iterator[Diagnostic]:
    """E0204 for two runs whose points would share a name."""
    seen: dict[str, tree.Run] = {}
    for run in items:
        if not isinstance(run, tree.Run):
            continue
        names = [run.name] if run.name else [model.path.words[-1] for model in run.models]
        for name in names:
            first = seen.setdefault(name.text, run)
            if first is not run:
                yield Diagnostic(
                    code="E0204",
                    message=f"two runs are named `{name.text}`",
                    labels=(
                        Label(span=name.span, text="the second", primary=True),
                        Label(span=first.head, text="the first"),
                    ),
                    help=(f"name this one: `run NAME = {run.models[0].path.text} on ...`",),
                )
