"""A worker as the sweep sees it: a process that is given orders and whose lines are read."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from legoc.training.jobs.messages import decode, encode


# How long a process that has closed its output may take to end.
PATIENCE = 60.0


class Worker:
    """hear: is called with the worker and each of its messages, from threads that read them. A
    line of its standard error is `{"line": ...}`, the end of the process `{"ended": status}`.
    place: that of the run it works on, None while it waits."""

    def __init__(self, hear: Callable[["Worker", dict[str, Any]], None]) -> None:
        self.hear = hear
        self.place: int | None = None
        self.since = 0.0
        self.process = subprocess.Popen(
            # Without the working directory, which Python would put before all other places.
            [sys.executable, "-P", "-m", "legoc.training.jobs.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            # It finds what this process finds, and Ctrl-C reaches it through this process alone.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )  # fmt: skip
        lines = threading.Thread(target=self.read_lines, args=(self.process.stderr,), daemon=True)
        lines.start()
        self.reader = threading.Thread(
            target=self.read_messages, args=(self.process.stdout, lines), daemon=True
        )
        self.reader.start()

    def give(self, order: Mapping[str, Any]) -> None:
        """An order; one that finds nobody is answered by the end of the process."""
        assert self.process.stdin is not None
        if self.process.stdin.closed:
            return
        with suppress(BrokenPipeError):
            self.process.stdin.write(encode(order))
            self.process.stdin.flush()

    def stop(self) -> None:
        """There is nothing more to do; what is being done is saved."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()

    def wait(self) -> None:
        """Until it has ended and all that it said is heard."""
        self.stop()
        self.reader.join()

    def read_lines(self, stream: BinaryIO) -> None:
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                self.hear(self, {"line": text})
        stream.close()

    def read_messages(self, stream: BinaryIO, lines: threading.Thread) -> None:
        for line in stream:
            message = decode(line)
            if message is not None:
                self.hear(self, message)
        stream.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        # What it said last is heard before its end.
        lines.join(PATIENCE)
        self.hear(self, {"ended": self.process.wait()})


def describe_end(status: int) -> str:
    """How a process ended: by a signal, or with an exit code."""
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name}"
