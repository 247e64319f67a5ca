"""Ctrl-C lands between updates, not inside one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interruptions:
    """While entered, an interrupt during `together()` waits for its end; any other is immediate.

    `consistent` is False between the beginning of a `together()` and its regular end: what it
    changes is then half changed and must not be saved. A second interrupt does not wait. Outside
    the main thread, which alone receives signals, nothing is installed.
    """

    def __init__(self) -> None:
        self.inside = False
        self.pending = False
        self.consistent = True
        self.earlier: Any = None

    def __enter__(self) -> "Interruptions":
        if threading.current_thread() is threading.main_thread():
            self.earlier = signal.signal(signal.SIGINT, self.receive)
        return self

    def __exit__(self, *error: object) -> None:
        if self.earlier is not None:
            signal.signal(signal.SIGINT, self.earlier)

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.inside and not self.pending:
            self.pending = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work that is done completely or, after an error, counts as not done."""
        self.inside, self.consistent = True, False
        try:
            yield
            self.consistent = True
        finally:
            self.inside = False
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt
