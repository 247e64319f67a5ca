"""What a command that fails prints, and the exit code it leaves."""

import errno
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from legoc.commands.messages import report


if TYPE_CHECKING:
    from legoc.language.diagnosing.diagnostics import Diagnostic

# What a disk or its owner refuses, whatever was being written.
REFUSED = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
)


def ended(run: Callable[[Namespace], int], arguments: Namespace) -> int:
    """Run a command to its end, whichever that is, and give the exit code."""
    try:
        return run(arguments)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return answer(error)


def answer(error: Exception) -> int:
    """What a failed command prints: a diagnostic for a user's mistake, a report for one of ours."""
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError

    if isinstance(error, LegoError):
        report(error.diagnostics)
        return 1
    if type(error).__module__.split(".")[0] == "legoc_runtime":
        # The runtime knows nothing of diagnostics; its errors carry a message and a help line.
        message, help = getattr(error, "message", str(error)), getattr(error, "help", "")
        report([Diagnostic(code="E0850", message=message, help=(help,) if help else ())])
        return 1
    if isinstance(error, OSError) and error.errno in REFUSED:
        report([unwritable(error)])
        return 1
    import traceback

    traceback.print_exception(error)
    print(
        "\ninternal error: this is a defect of legoc, not of your input. Please report the "
        "lines above together with the command.",
        file=sys.stderr,
    )
    return 70


def unwritable(error: OSError) -> "Diagnostic":
    """The diagnostic of a folder that is full or closed."""
    from legoc.language.diagnosing.diagnostics import Diagnostic

    reason = (error.strerror or str(error)).lower()
    place = "a file cannot be written" if error.filename is None else f"`{error.filename}`"
    return Diagnostic(
        code="E0562",
        message=f"{place}: {reason}",
        help=("make room or choose other folders with `--cache` and `--runs`",),
    )
