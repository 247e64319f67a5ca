"""How long work reports itself: a protocol the phases speak, and a silent speaker.

The command line has one that draws (`legoc.commands.console`); a phase takes whichever it is given
and never prints.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One counted piece of work; `figures` is a short text beside the bar."""

    def advance(self, count: int = 1, figures: str = "") -> None: ...


class Progress(Protocol):
    """Says what is being done."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def task(self, name: str, total: int | None, unit: str = "") -> AbstractContextManager[Task]:
        """A bar over `total` units; it disappears or becomes a line when left."""
        ...


class SilentTask:
    def advance(self, count: int = 1, figures: str = "") -> None:
        pass


class Silent:
    """Reports nothing."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def task(self, name: str, total: int | None, unit: str = "") -> Iterator[Task]:
        yield SilentTask()


SILENT = Silent()
