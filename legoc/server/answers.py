"""Requests about the text at a place: completion, hover, signature, formatting, fixes, hints."""

from collections.abc import Sequence

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.analysis import Analysis
from legoc.language.editing.arrows import Arrow
from legoc.language.editing.completion import complete
from legoc.language.editing.explaining import explain, signature_at
from legoc.language.editing.fixes import apart, is_safe
from legoc.language.syntax.fmt import format
from legoc.server import convert
from legoc.server.checks import Checks
from legoc.server.positions import to_span
from legoc.server.session import Session


TRIGGERS = ["(", "[", ",", "=", "$", ".", ">", '"', "/", " "]
FIX_ALL = "source.fixAll.legoc"


def register(server: LanguageServer, session: Session, checks: Checks) -> None:
    """Add these features to a server."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=TRIGGERS)
    )
    def completion(params: types.CompletionParams) -> types.CompletionList:
        document, offset = session.place(params.text_document.uri, params.position)
        scope, files = session.scope(document), session.buffers.files()
        found = complete(document, offset, scope, session.known, files)
        return types.CompletionList(
            is_incomplete=False,
            items=[convert.completion(each, at, session) for at, each in enumerate(found)],
        )

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        document, offset = session.place(params.text_document.uri, params.position)
        arrows: Sequence[Arrow] = ()
        if "->" in document.text[max(offset - 1, 0) : offset + 2]:
            # Types need a check; everything else is told at once.
            analysis = await checks.analysis(params.text_document.uri)
            arrows = analysis.arrows if analysis.document is document else ()
        page = explain(document, offset, session.scope(document), session.known, arrows)
        if page is None:
            return None
        return types.Hover(convert.markdown(page.text), session.range(page.span))

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=["="]),
    )
    def signature(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        document, offset = session.place(params.text_document.uri, params.position)
        found = signature_at(document, offset, session.scope(document), session.known)
        return convert.signature(found) if found is not None else None

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        document = session.document(params.text_document.uri)
        try:
            text = format(document)
        except LegoError:
            # What is wrong with the text is shown in it already.
            return None
        return [types.TextEdit(session.range(span), new) for span, new in changed(document, text)]

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hints(params: types.InlayHintParams) -> list[types.InlayHint]:
        analysis = await checks.analysis(params.text_document.uri)
        shown = to_span(analysis.document, params.range, session.encoding)
        return [
            types.InlayHint(
                position=session.range(arrow.sign).end,
                label=arrow.text,
                kind=types.InlayHintKind.Type,
                padding_left=True,
            )
            for arrow in analysis.arrows
            if shown.start <= arrow.sign.end <= shown.end
        ]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL]),
    )
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        analysis = await checks.analysis(params.text_document.uri)
        where = to_span(analysis.document, params.range, session.encoding)
        only = params.context.only
        found: list[types.CodeAction] = []
        if wants(types.CodeActionKind.QuickFix, only):
            found += quick_fixes(analysis, where, session)
        if only and wants(FIX_ALL, only):
            safe = apart(d for d in analysis.diagnostics if is_safe(d.fix, analysis.document))
            if safe:
                edit = convert.edit([d.fix for d in safe if d.fix is not None], session)
                found.append(types.CodeAction("apply all safe fixes", FIX_ALL, edit=edit))
        return found


def wants(kind: str, only: Sequence[str] | None) -> bool:
    """Whether an editor that asks for certain kinds asks for this one; `source` means all below."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)


def quick_fixes(analysis: Analysis, where: Span, session: Session) -> list[types.CodeAction]:
    """The fixes of what is wrong in a range; one that only respells is preferred."""
    found: list[types.CodeAction] = []
    for each in analysis.diagnostics:
        fix, primary = each.fix, each.primary
        if fix is None or primary is None or fix.span.document is not analysis.document:
            continue
        if max(primary.start, where.start) > min(primary.end, where.end):
            continue
        found.append(
            types.CodeAction(
                title=fix.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[convert.diagnostic(each, session)],
                is_preferred=fix.grade == "safe",
                edit=convert.edit([fix], session),
            )
        )
    return found


def changed(document: Document, text: str) -> list[tuple[Span, str]]:
    """The one part of a document that another text changes, so that the cursor can stay; nothing
    where they are the same."""
    old = document.text
    if old == text:
        return []
    start = 0
    least = min(len(old), len(text))
    while start < least and old[start] == text[start]:
        start += 1
    tail = 0
    while tail < least - start and old[-1 - tail] == text[-1 - tail]:
        tail += 1
    return [(Span(document, start, len(old) - tail), text[start : len(text) - tail])]
