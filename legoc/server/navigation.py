"""Requests that go from a place to others: definition, references, rename, symbols, folding."""

import os

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.names import declared_at, occurrence_at, used_file
from legoc.language.editing.outline import folds, symbols
from legoc.language.editing.renaming import Usage, renamed, usages
from legoc.server import convert
from legoc.server.session import Session


class Refused(JsonRpcException):
    """A request that cannot be done, with the reason to show; no fault of the server."""

    CODE = types.LSPErrorCodes.RequestFailed
    MESSAGE = "refused"


def register(server: LanguageServer, session: Session) -> None:
    """Add these features to a server."""

    def found(uri: str, position: types.Position) -> tuple[Usage, ...]:
        document, offset = session.place(uri, position)
        return usages(document, offset, session.buffers, session.files())

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        document, offset = session.place(params.text_document.uri, params.position)
        scope = session.scope(document)
        use = used_file(scope, offset)
        if use is not None:
            return file_start(os.path.join(os.path.dirname(document.path), use.file.value), session)
        at = occurrence_at(scope, offset)
        return session.location(declared_at(at.subject)) if at is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        return [
            session.location(each.span)
            for usage in found(params.text_document.uri, params.position)
            for each in usage.found
            if each.act != "declares" or params.context.include_declaration
        ]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        document, offset = session.place(params.text_document.uri, params.position)
        return [
            types.DocumentHighlight(session.range(each.span))
            for usage in usages(document, offset, session.buffers)[:1]
            for each in usage.found
        ]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        document, offset = session.place(params.text_document.uri, params.position)
        at = occurrence_at(session.scope(document), offset)
        if at is None:
            return None
        return types.PrepareRenamePlaceholder(session.range(at.span), at.span.text)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit:
        try:
            spans = renamed(found(params.text_document.uri, params.position), params.new_name)
        except LegoError as error:
            (first, *_) = error.diagnostics
            raise Refused("; ".join((first.message, *first.help))) from None
        changes: dict[str, list[types.TextEdit]] = {}
        for span in spans:
            edit = types.TextEdit(session.range(span), params.new_name)
            changes.setdefault(session.uri(span.path), []).append(edit)
        return types.WorkspaceEdit(changes=changes)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        parsed = session.buffers.parse(session.document(params.text_document.uri))
        return [convert.symbol(each, session) for each in symbols(parsed)]

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        parsed = session.buffers.parse(session.document(params.text_document.uri))
        return [convert.fold(each) for each in folds(parsed)]


def file_start(path: str, session: Session) -> types.Location | None:
    """The beginning of a file, if it can be read."""
    try:
        document: Document = session.buffers.read(os.path.normpath(path))
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    return session.location(Span(document, 0, 0))
