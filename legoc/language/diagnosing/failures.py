"""Errors that are the user's and not ours, whoever raised them: as diagnostics.

Every phase raises `LegoError` for what it finds itself. The runtime has errors of its own, and the
system refuses folders in many ways.
"""

import errno
import os
import re
from collections.abc import Sequence

from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError


# What an error of standard output is of.
OUTPUT = "standard output"
# What a disk or its owner refuses, whatever was being written.
REFUSED = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
    errno.ENAMETOOLONG, errno.EIO,
)  # fmt: skip
# That a folder or a file cannot be begun is for the file system to say, with whatever number.
BEGINNING = ("mkdir", "makedirs", "mkdtemp", "mkstemp", "_mkstemp_inner", "make_workplace")


def diagnosed(error: Exception) -> Sequence[Diagnostic]:
    """The diagnostics of an error that is not a defect of legoc; none for one that is."""
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


def unwritable(number: int, path: str | None) -> Diagnostic:
    """The diagnostic of a folder that is full or closed."""
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
