"""Diagnostics as a command prints them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from legoc.language.diagnosing.diagnostics import Diagnostic
    from legoc.language.diagnosing.render import Format

FORMATS = ("full", "concise", "json", "github")


def report(
    diagnostics: "Sequence[Diagnostic]", format: "Format" = "full", *, aside: bool = False
) -> None:
    """Print diagnostics: to standard error for people, to standard output for machines unless it
    holds something else (`aside`)."""
    if not diagnostics and format != "json":
        return
    from legoc.language.diagnosing.render import render

    stream = sys.stderr if format == "full" or aside else sys.stdout
    text = render(diagnostics, format=format, colour=format == "full" and stream.isatty())
    print(text, file=stream)
