"""Values of the front end as values of the protocol."""

from collections.abc import Sequence

from lsprotocol import types

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix
from legoc.language.editing.explaining import Signature
from legoc.language.editing.outline import Fold, Symbol
from legoc.language.editing.pages import default_of, operator_page, param_line, signature_of
from legoc.language.editing.proposals import Proposal, Sort
from legoc.server.session import Session


KINDS: dict[Sort, types.CompletionItemKind] = {
    "keyword": types.CompletionItemKind.Keyword,
    "operator": types.CompletionItemKind.Class,
    "parameter": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "attribute": types.CompletionItemKind.Field,
    "name": types.CompletionItemKind.Variable,
    "file": types.CompletionItemKind.File,
}
SYMBOLS = {
    "use": types.SymbolKind.Module,
    "param": types.SymbolKind.Constant,
    "data": types.SymbolKind.Struct,
    "generate": types.SymbolKind.Object,
    "train": types.SymbolKind.Object,
    "export": types.SymbolKind.Object,
    "model": types.SymbolKind.Class,
    "run": types.SymbolKind.Event,
    "stage": types.SymbolKind.Method,
    "field": types.SymbolKind.Field,
}
FOLDS = {
    "region": types.FoldingRangeKind.Region,
    "comment": types.FoldingRangeKind.Comment,
    "imports": types.FoldingRangeKind.Imports,
}


def markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


def diagnostic(value: Diagnostic, session: Session) -> types.Diagnostic:
    """The message with its notes and help; further labels as related places."""
    primary = value.primary
    assert primary is not None, "an analysis gives each diagnostic a place"
    text = next(label.text for label in value.labels if label.primary)
    lines = [f"{value.message}: {text}" if text else value.message]
    lines += [f"note: {note}" for note in value.notes]
    lines += [f"help: {help}" for help in value.help]
    related = [
        types.DiagnosticRelatedInformation(session.location(label.span), label.text)
        for label in value.labels
        if not label.primary
    ]
    unused = value.code == "W101"
    return types.Diagnostic(
        range=session.range(primary),
        message="\n".join(lines),
        severity=types.DiagnosticSeverity.Error
        if value.severity == "error"
        else types.DiagnosticSeverity.Warning,
        code=value.code,
        source="legoc",
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        related_information=related or None,
    )


def completion(value: Proposal, place: int, session: Session) -> types.CompletionItem:
    return types.CompletionItem(
        label=value.label,
        kind=KINDS[value.sort],
        detail=value.detail or None,
        documentation=markdown(value.page) if value.page else None,
        sort_text=f"{place:04}",
        filter_text=value.label,
        text_edit=types.TextEdit(session.range(value.span), value.text),
    )


def signature(value: Signature) -> types.SignatureHelp:
    """`CNN(hidden=64, ...)` with the parameter that is being written."""
    params: list[types.ParameterInformation] = []
    at = len(value.owner.name) + 1
    for p in value.owner.params:
        end = at + len(p.name) + len(default_of(p))
        params.append(types.ParameterInformation((at, end), markdown(param_line(p))))
        at = end + len(", ")
    active = None
    if value.active is not None:
        active = [p.name for p in value.owner.params].index(value.active.name)
    one = types.SignatureInformation(
        label=signature_of(value.owner), documentation=markdown(operator_page(value.owner)),
        parameters=params, active_parameter=active,
    )  # fmt: skip
    return types.SignatureHelp([one], active_signature=0, active_parameter=active)


def symbol(value: Symbol, session: Session) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=value.name,
        detail=value.detail or None,
        kind=SYMBOLS[value.kind],
        range=session.range(value.span),
        selection_range=session.range(value.name_span),
        children=[symbol(each, session) for each in value.inside],
    )


def fold(value: Fold) -> types.FoldingRange:
    return types.FoldingRange(value.first - 1, value.last - 1, kind=FOLDS[value.kind])


def edit(fixes: Sequence[Fix], session: Session) -> types.WorkspaceEdit:
    """Changes of one document."""
    uri = session.uri(fixes[0].span.path)
    edits = [types.TextEdit(session.range(fix.span), fix.replacement) for fix in fixes]
    return types.WorkspaceEdit(changes={uri: edits})
