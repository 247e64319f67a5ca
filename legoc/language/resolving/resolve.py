"""Names to what they mean: `use`, copies, params and `--set`, until only axes are open.

Mistakes are collected. What depends on a broken declaration is left out in silence, because the
broken one has been reported.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from legoc.language.resolving.declared import Declarations, Unresolved
from legoc.language.resolving.resolved import Resolved, demo
from legoc.language.resolving.runs import describe_run, run_names
from legoc.language.resolving.scope import Files, Scope, enter, unreadable
from legoc.language.resolving.template import Choice, PipelineTemplate, RecordTemplate, RunTemplate
from legoc.language.syntax import tree


T = TypeVar("T")
OTHER_FORMS = (".json", ".yaml", ".yml")


def resolve(
    path: "str | os.PathLike[str] | Document",
    overrides: Sequence[str] = (),
    files: Files | None = None,
    known: Catalog | None = None,
) -> Resolved:
    """Resolve a file, with `NAME=value` overrides. Never raises for a mistake of the user.

    files: where the files it uses are read, if not from the disk. known: declarations other than
    those that ship; the values of a spec in JSON or YAML are read by them.
    """
    files = Files() if files is None else files
    if isinstance(path, Document):
        document = path
    else:
        shown = os.fspath(path)
        try:
            document = files.read(shown)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            missing = unreadable(shown, None, error)
            return Resolved(document=Document(shown, ""), diagnostics=(missing,))
    if document.path.endswith(OTHER_FORMS):
        from legoc.language.resolving.spec_form import resolve_form

        return resolve_form(document, overrides, known if known is not None else catalog())
    scope = enter(document, files)
    documents = (document, *(each for each in files.documents() if each is not document))
    return resolve_scope(scope, tuple(files.found), documents, overrides)


def resolve_scope(
    scope: Scope,
    problems: Sequence[Diagnostic],
    documents: tuple[Document, ...],
    overrides: Sequence[str],
) -> Resolved:
    """Resolve a file whose names have been read, with what was wrong in reading them."""
    document = scope.document
    found = list(problems)
    declarations = Declarations(scope, found.append, overrides)
    if scope.parsed.tree.bare is not None:
        runs = bare_runs(scope.parsed.tree.bare, declarations, document)
        loose, spare, unused, generations = (), (), (), ()
    else:
        runs, loose, spare, unused, generations = declared_runs(scope, declarations, found.append)
    found += declarations.overrides.unmet()
    return Resolved(
        document=document,
        diagnostics=tuple(dict.fromkeys(found)),
        runs=runs,
        loose=loose,
        spare=spare,
        unused=unused if runs and not scope.lost else (),
        documents=documents,
        copied=tuple(declarations.copied),
        generations=generations,
        overrides=tuple(declarations.overrides.traces),
        again=lambda others: resolve_scope(scope, problems, documents, others),
    )


def bare_runs(
    chain: tree.Chain, declarations: Declarations, document: Document
) -> tuple[RunTemplate, ...]:
    stem = os.path.splitext(os.path.basename(document.path))[0]
    span = chain.span
    model = or_none(lambda: declarations.guard(lambda: declarations.read_chain(stem, span, chain)))
    parts = (
        ("model", model),
        ("data", demo(span)),
        ("train", RecordTemplate("train", "", span, {})),
        ("export", RecordTemplate("export", "", span, {})),
    )
    found = [
        or_none(lambda kind=kind, part=part: declarations.of_kind(kind, part))
        for kind, part in parts
        if part is not None
    ]
    made = [Choice(stem, part) for part in found if part is not None]
    if len(made) < len(parts):
        return ()
    first, data, train, export = made
    return (
        RunTemplate(
            name=stem, span=span, models=(first,), data=(data,), train=(train,), export=export
        ),
    )


def declared_runs(
    scope: Scope, declarations: Declarations, report: Callable[[Diagnostic], None]
) -> tuple[
    tuple[RunTemplate, ...],
    tuple[RunTemplate, ...],
    tuple[RecordTemplate, ...],
    tuple[tree.Word, ...],
    tuple[RecordTemplate, ...],
]:
    """Everything a file of declarations yields; each declaration is resolved, used or not."""
    runs: list[RunTemplate] = []
    # What a broken run names as it stands is checked as if nothing ran it.
    idle: set[tree.Setting | tree.Declared] = set()
    for item in scope.parsed.tree.items:
        if isinstance(item, tree.Run):
            made = or_none(lambda item=item: describe_run(item, declarations, report))
            if made is None:
                idle |= named_alone(item, scope)
            else:
                runs.append(made)
    for diagnostic in run_names(scope.parsed.tree.items):
        report(diagnostic)
    models: list[PipelineTemplate] = []
    records: list[RecordTemplate] = []
    data: list[RecordTemplate] = []
    generations: list[RecordTemplate] = []
    for name, target in scope.names.items():
        item = target.item
        if item is None:
            continue
        used = item in declarations.used and item not in idle
        if isinstance(item, tree.Setting):
            or_none(
                lambda name=name, target=target: declarations.param(
                    scope, name, target.span, use=False
                )
            )
            continue
        made = or_none(lambda target=target, item=item: declarations.declared(target.scope, item))
        own = target.scope is scope
        if isinstance(made, RecordTemplate):
            if made.kind == "data":
                data.append(made)
            if made.kind == "generate":
                # Only a file that declares one asks a model.
                generations += [made] if own and not made.sweeps else []
            elif own and not used:
                records.append(made)
        elif isinstance(made, PipelineTemplate) and own and not used:
            models.append(made)
    # A copy made while the others were resolved is a use as well.
    models = [each for each in models if not declarations.is_used(each, but=idle)]
    records = [each for each in records if not declarations.is_used(each, but=idle)]
    alone = data[0] if len(data) == 1 else None
    loose = tuple(loose_run(model, alone) for model in models)
    return (
        tuple(runs),
        loose,
        tuple(records),
        tuple(unused_names(scope, declarations)),
        (tuple(generations)),
    )


def named_alone(run: tree.Run, scope: Scope) -> set[tree.Setting | tree.Declared]:
    """The declarations of this file that a run names without changing them."""
    names = [
        ref.path.words[0].text
        for ref in (*run.models, *run.data, *run.train)
        if ref.args is None and len(ref.path.words) == 1
    ]
    targets = [scope.names.get(name) for name in names]
    return {each.item for each in targets if each is not None and each.item is not None}


def or_none(make: Callable[[], T]) -> T | None:
    """What a declaration resolves to; None where a mistake has been reported."""
    try:
        return make()
    except Unresolved:
        return None


def loose_run(model: PipelineTemplate, data: RecordTemplate | None) -> RunTemplate:
    chosen = data or demo(model.span)
    return RunTemplate(
        name=model.name,
        span=model.span,
        models=(Choice(model.name, model),),
        data=(Choice(chosen.name, chosen),),
        where_valid=bool(model.sweeps),
    )


def unused_names(scope: Scope, declarations: Declarations) -> Iterable[tree.Word]:
    """The names written in this file that nothing uses."""
    for item in scope.parsed.tree.items:
        if isinstance(item, tree.Run):
            continue
        if isinstance(item, tree.Use):
            for word in item.names:
                target = scope.names.get(word.text)
                if target is not None and target.item not in declarations.used:
                    yield word
            if item.prefix is not None and item.prefix.text not in declarations.overrides.prefixes:
                yield item.prefix
        elif item not in declarations.used and not is_generation(item):
            yield item.name


def is_generation(item: tree.Setting | tree.Declared) -> bool:
    """`legoc generate` works through those of a file, whatever the runs use."""
    return isinstance(item, tree.Declared) and item.kind == "generate"
