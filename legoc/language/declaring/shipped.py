"""Where the files that travel with legoc lie: the grammar, the exported declarations, the specs."""

from pathlib import Path

from legoc.language.diagnosing.diagnostics import fail


PACKAGE = Path(__file__).resolve().parents[2]


def shipped(name: str) -> Path:
    """The file or folder `name` ("grammar/lego.lark") inside the installed package, else beside the
    package in a checkout. Raises LegoError when neither has it."""
    for root in (PACKAGE, PACKAGE.parent):
        found = root / name
        if found.exists():
            return found
    raise fail("E0201", f"`{name}`, a part of legoc, is missing", "install legoc again")
