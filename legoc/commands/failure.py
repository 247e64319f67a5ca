"""What a command that fails prints, and the exit code it leaves.

Exit codes: 0 done, 1 the input was at fault, 2 usage, 70 an internal error, 130 interrupted (143 by
SIGTERM, 129 by SIGHUP), 141 nobody reads what is printed (`| head`).
"""

import errno
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from legoc.commands.messages import report
from legoc.commands.streams import OUTPUT, UNREAD, discard_unread


if TYPE_CHECKING:
    from legoc.language.diagnosing.diagnostics import Diagnostic

# What a disk or its owner refuses, whatever was being written.
REFUSED = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
    errno.ENAMETOOLONG, errno.EIO,
)  # fmt: skip
# That a folder or a file cannot be begun is for the file system to say, with whatever number.
BEGINNING = ("mkdir", "makedirs", "mkdtemp", "mkstemp", "_mkstemp_inner", "make_workplace")


def ended(run: Callable[[Namespace], int], arguments: Namespace) -> int:
    """Run a command to its end, whichever that is, and give the exit code."""
    try:
        return run(arguments)
    except KeyboardInterrupt as stop:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        # A signal that docker or SLURM sent has an exit code of its own: 143 for SIGTERM.
        return getattr(stop, "status", 130)
    except BrokenPipeError:
        discard_unread()
        return UNREAD
    except Exception as error:
        return answer(error)


def delivered(code: int) -> int:
    """Bring to its reader what a command printed; the exit code of the process."""
    if sys.stdout is None or sys.stdout.closed:
        # A language server closes it when the editor has gone.
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = UNREAD
    except OSError as error:
        report([unwritable(error.errno or errno.EIO, OUTPUT)])
        code = code or 1
    discard_unread()
    return code


def answer(error: Exception) -> int:
    """What a failed command prints: a diagnostic for a user's mistake, a report for one of ours."""
    found = diagnosed(error)
    if found:
        report(found)
        return 1
    import traceback

    traceback.print_exception(error)
    print(
        "\ninternal error: this is a defect of legoc, not of your input. Please report the "
        "lines above together with the command.",
        file=sys.stderr,
    )
    return 70


def diagnosed(error: Exception) -> "Sequence[Diagnostic]":
    """The diagnostics of an error that is not a defect of legoc; none for one that is."""
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError

    if isinstance(error, LegoError):
        return error.diagnostics
    if type(error).__module__.split(".")[0] == "legoc_runtime":
        # The runtime knows nothing of diagnostics; its errors carry a message and a help line.
        message, help = getattr(error, "message", str(error)), getattr(error, "help", "")
        return (Diagnostic(code="E0850", message=message, help=(help,) if help else ()),)
    found = refusal(error)
    return () if found is None else (unwritable(*found),)


def refusal(error: BaseException) -> tuple[int, str | None] | None:
    """The number and the file, where it is known, of what the system refused; None for an error of
    another kind."""
    if isinstance(error, OSError) and error.errno is not None:
        begun = innermost(error) not in BEGINNING and error.filename != OUTPUT
        if error.errno not in REFUSED and begun:
            return None
        return error.errno, None if error.filename is None else os.fsdecode(error.filename)
    # Rust (safetensors, tokenizers) and DuckDB wrap the system's error in a text of their own.
    text = str(error)
    for number in REFUSED:
        if f"(os error {number})" in text or os.strerror(number) in text:
            named = re.search(r'"([^"\\\n]*/[^"\\\n]*)\\?"', text)
            return number, named[1] if named else None
    return None if error.__cause__ is None else refusal(error.__cause__)


def innermost(error: BaseException) -> str:
    """The function that raised an error."""
    step, name = error.__traceback__, ""
    while step is not None:
        step, name = step.tb_next, step.tb_frame.f_code.co_name
    return name


def unwritable(number: int, path: str | None) -> "Diagnostic":
    """The diagnostic of a folder that is full or closed."""
    from legoc.language.diagnosing.diagnostics import Diagnostic

    place = "a file cannot be written" if path is None else f"`{path}`"
    reason = "closed" if number == errno.EBADF else os.strerror(number).lower()
    return Diagnostic(
        code="E0562",
        message=f"{place}: {reason}",
        help=(
            "send it to a file or a pipe that takes it"
            if path == OUTPUT
            else "make room or choose other folders with `--cache` and `--runs`",
        ),
    )
