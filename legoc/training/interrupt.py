"""Signals that ask a training to stop land between updates, not inside one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """A stop that docker, SLURM or `kill` asked for; it does all that Ctrl-C does. status: the exit
    code by which a shell knows the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


# Ctrl-C; what docker, SLURM and `kill` send; the end of the terminal.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def stop_of(number: int) -> KeyboardInterrupt:
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


def listened_to() -> tuple[int, ...]:
    """The signals that may stop this process. A shell or `nohup` has some ignored: SIGTERM and
    SIGHUP then stay so."""
    return tuple(
        number for number in STOPS
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN
    )  # fmt: skip


class Interruptions:
    """While entered, a signal to stop during `together()` waits for its end; any other is
    immediate, as KeyboardInterrupt.

    `consistent` is False between the beginning of a `together()` and its regular end: what it
    changes is then half changed and must not be saved. A second signal does not wait. Outside the
    main thread, which alone receives signals, nothing is installed.

    Extensions that are interrupted while they wait (Ray's are) put a KeyboardInterrupt of their own
    in the place of ours; what leaves the block is that of the latest signal all the same.
    """

    def __init__(self) -> None:
        self.inside = False
        self.held = False
        self.pending: KeyboardInterrupt | None = None
        self.latest: int | None = None
        self.consistent = True
        self.earlier: dict[int, Any] = {}

    def __enter__(self) -> "Interruptions":
        if threading.current_thread() is threading.main_thread():
            for number in listened_to():
                self.earlier[number] = signal.signal(number, self.receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for number, handler in self.earlier.items():
            # None: what was there is not Python's, and cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if kind is KeyboardInterrupt and self.latest not in (None, signal.SIGINT):
            raise stop_of(self.latest) from None

    def receive(self, number: int, frame: FrameType | None) -> None:
        self.latest = number
        if (self.inside or self.held) and self.pending is None:
            self.pending = stop_of(number)
            return
        raise stop_of(number)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work that is done completely or, after an error, counts as not done."""
        self.inside, self.consistent = True, False
        try:
            yield
            self.consistent = True
        finally:
            self.inside = False
        if not self.held:
            self.heed()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Work of several processes, which stop at one place: a signal waits for its end, or until
        whoever has told them of `pending` heeds it."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
        self.heed()

    def heed(self) -> None:
        """Stop, if a signal waits."""
        if self.pending is not None:
            stop, self.pending = self.pending, None
            raise stop
