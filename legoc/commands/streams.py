"""The standard streams of the process: closed ones, pipes whose reader has gone, full disks."""

import errno
import io
import os
import sys


# What a shell says of a tool that ended because nobody reads what it prints (128 + SIGPIPE).
UNREAD = 141


class Closed(io.TextIOBase):
    """Standard output that the process was started without (`>&-`): the first word fails."""

    def write(self, text: str) -> int:
        from legoc.language.diagnosing.failures import OUTPUT

        raise OSError(errno.EBADF, os.strerror(errno.EBADF), OUTPUT)


def open_streams() -> None:
    """Let what is printed fail only where it is lost. A letter that the terminal's encoding lacks
    is printed as its number."""
    missing = [n for n, s in enumerate((sys.stdin, sys.stdout, sys.stderr)) if s is None]
    for number in missing:
        # A file opened later would take the number, and with it what libraries print.
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
    if sys.stdout is None:
        sys.stdout = Closed()
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def discard_unread() -> None:
    """Send what nobody takes nowhere: Python's own flush at exit must not complain about it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            if isinstance(stream, io.TextIOWrapper):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
