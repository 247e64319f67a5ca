"""Checks in the background: one at a time, each of the newest text, published while one types."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from legoc.language.diagnosing.document import Document
from legoc.language.editing.analysis import Analysis, analyse
from legoc.server.memory import tidy
from legoc.server.session import Session, path_of


# Long enough that a word typed at speed is checked once, short enough to seem instant.
PAUSE = 0.1
Publish = Callable[[str, int, Analysis], None]


class Checks:
    """Analyses by address. A check works on one version of a text; if another has come meanwhile,
    its result is dropped and the newer text is checked."""

    def __init__(self, session: Session, publish: Publish, report: Callable[[str], None]) -> None:
        self.session = session
        self.publish = publish
        self.report = report
        self.known: dict[str, Analysis] = {}
        self.waiting: dict[str, asyncio.Task[None]] = {}
        # The front end is plain Python: a second thread would only take turns with the first.
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")

    def touch(self, uri: str) -> None:
        """A text has changed: check it, and what is open and rests on it."""
        self.schedule(uri)
        path = path_of(uri)
        for other, analysis in list(self.known.items()):
            if other != uri and any(same(d, path, self.session) for d in analysis.documents):
                self.schedule(other)

    def touch_all(self) -> None:
        """Files have changed on the disk: check all that is open."""
        self.known.clear()
        for uri in self.session.versions:
            self.schedule(uri)

    def schedule(self, uri: str) -> None:
        if uri not in self.session.versions:
            return
        task = self.waiting.pop(uri, None)
        if task is not None:
            task.cancel()
        self.waiting[uri] = asyncio.get_running_loop().create_task(self.check_soon(uri))

    def close(self, uri: str) -> None:
        task = self.waiting.pop(uri, None)
        if task is not None:
            task.cancel()
        self.known.pop(uri, None)

    async def check_soon(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        try:
            analysis = await self.analysis(uri)
        except KeyError:
            return
        except Exception as error:
            self.report(f"legoc could not check this file: {type(error).__name__}: {error}")
            return
        version = self.session.versions.get(uri)
        if version is not None and self.session.document(uri) is analysis.document:
            self.publish(uri, version, analysis)

    async def analysis(self, uri: str) -> Analysis:
        """The analysis of the text as it is now. Raises KeyError where it is not open."""
        while True:
            document = self.session.document(uri)
            known = self.known.get(uri)
            if known is not None and self.fresh(known, document):
                return known
            found = await asyncio.get_running_loop().run_in_executor(
                self.worker, self.analyse, document
            )
            if self.session.document(uri) is document:
                self.known[uri] = found
                return found

    def analyse(self, document: Document) -> Analysis:
        """Check a version of a text, and use the pause in typing that has led here."""
        found = analyse(document, self.session.buffers, self.session.known)
        tidy()
        return found

    def fresh(self, analysis: Analysis, document: Document) -> bool:
        """Whether an analysis still holds: of this version, and what it rests on unchanged."""
        if analysis.document is not document:
            return False
        try:
            return all(
                each is document or self.session.buffers.read(each.path) is each
                for each in analysis.documents
            )
        except (OSError, UnicodeDecodeError, ValueError):
            return False


def same(document: Document, path: str, session: Session) -> bool:
    """Whether a document is a version of what an address names."""
    return session.uri(document.path) == session.uri(path)
