"""Text that a command writes: to standard output, or to a file."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from legoc.language.diagnosing.diagnostics import LegoError


def write_output(text: str, path: str | None, *, replaces: bool = False) -> int:
    """A text to a file, or to standard output. A file that is there is left alone (E0905), unless
    the text is to take its place."""
    from legoc.language.diagnosing.diagnostics import fail

    if path is None:
        sys.stdout.write(text)
        return 0
    if not replaces and os.path.lexists(path):
        raise fail("E0905", f"`{path}` is there already", "choose another name, or remove it first")
    try:
        write_whole(path, text)
    except OSError as error:
        raise unwritten(path, error) from None
    print(f"{path}: written", file=sys.stderr)
    return 0


@contextmanager
def opened(path: str) -> Iterator[Path]:
    """A path to write to that takes the place of a file when the block ends. Where no file can be
    written, that is said before the block begins (E0905)."""
    from legoc.writing import replacing

    with ExitStack() as stack:
        try:
            made = stack.enter_context(replacing(path))
        except OSError as error:
            raise unwritten(path, error) from None
        yield made


def unwritten(path: str, error: OSError) -> "LegoError":
    from legoc.language.diagnosing.diagnostics import fail

    reason = (error.strerror or str(error)).lower()
    return fail("E0905", f"`{path}` cannot be written: {reason}", "check the folder it goes to")


def write_whole(path: str, text: str) -> None:
    """Write a file, whole or not at all."""
    from legoc.writing import write_text

    write_text(path, text)
