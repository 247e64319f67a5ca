"""The server itself: what it offers, and the texts the editor tells it of."""

import logging
from collections.abc import Generator
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from legoc import __version__
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.editing.analysis import Analysis, analyse
from legoc.language.editing.buffers import Buffers
from legoc.server import answers, convert, navigation
from legoc.server.checks import Checks
from legoc.server.memory import keep_loaded
from legoc.server.session import Session, path_of


class Protocol(LanguageServerProtocol):
    """The protocol without pygls's own copy of the texts: it splits lines where Python does and
    moves positions that it takes to lie behind a line, before anyone else reads them."""

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[Any, Any, None]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None


def build_server() -> LanguageServer:
    """A server for one editor, with everything it offers."""
    server = LanguageServer("legoc", __version__, protocol_cls=Protocol)
    session = Session()

    def publish(uri: str, version: int, analysis: Analysis) -> None:
        found = [convert.diagnostic(each, session) for each in analysis.diagnostics]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, found, version)
        )
        asks = server.client_capabilities.workspace
        if asks is not None and asks.inlay_hint is not None and asks.inlay_hint.refresh_support:
            server.workspace_inlay_hint_refresh(None)

    def report(message: str) -> None:
        server.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    checks = Checks(session, publish, report)
    register_texts(server, session, checks)
    answers.register(server, session, checks)
    navigation.register(server, session)
    return server


def register_texts(server: LanguageServer, session: Session, checks: Checks) -> None:
    """Keep the session's texts those of the editor.

    None of these is a coroutine: it might run after the requests that follow the change.
    """

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        workspace = server.workspace
        session.encoding = str(
            getattr(workspace.position_encoding, "value", workspace.position_encoding) or "utf-16"
        )
        session.roots = tuple(path_of(uri) for uri in workspace.folders) or (
            (workspace.root_path,) if workspace.root_path else ()
        )
        watch_files(server)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        session.open(document.uri, document.version, document.text)
        checks.touch(document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        session.change(params)
        checks.touch(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        session.close(uri)
        checks.close(uri)
        checks.touch(uri)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        checks.touch_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        checks.touch_all()


def watch_files(server: LanguageServer) -> None:
    """Ask the editor to tell of .lego files that change outside it, if it can."""
    asks = server.client_capabilities.workspace
    watched = asks.did_change_watched_files if asks is not None else None
    if watched is None or not watched.dynamic_registration:
        return
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*.lego")])
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    server.client_register_capability(
        types.RegistrationParams([types.Registration("legoc-files", method, options)])
    )


class Expected(logging.Filter):
    """Keeps refused requests out of the log: the editor shows their reason."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, navigation.Refused)


def serve() -> None:
    """Serve one editor over standard input and output until it leaves."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(Expected())
    # Tables of the parser and declarations are read now rather than at the first key.
    analyse(Document("", ""), Buffers(), catalog())
    keep_loaded()
    build_server().start_io()
