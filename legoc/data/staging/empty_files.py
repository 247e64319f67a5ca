"""Raw files without a byte: an error where nothing comes of the data, else counted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from legoc.data.staging.losses import EXAMPLES
from legoc.data.staging.report import Drop
from legoc.language.diagnosing.diagnostics import LegoError, fail


# What the lack of rows or items leads to.
FOLLOWS = ("E0623", "E0625")


def find_empty(files: Sequence[Path]) -> tuple[Drop, ...]:
    """A Drop for the files without a byte, called by their folder and name."""
    names = [f"{path.parent.name}/{path.name}" for path in files if not path.stat().st_size]
    if not names:
        return ()
    examples = tuple(names[:EXAMPLES])
    drop = Drop(
        reason="empty file", policy="nothing to read", part="files", count=len(names),
        examples=examples,
    )  # fmt: skip
    return (drop,)


@contextmanager
def blame(empty: Sequence[Drop]) -> Iterator[None]:
    """Within the block, an error that there are no rows names the empty file that it comes of."""
    try:
        yield
    except LegoError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        told = any(diagnostic.message.endswith(" is empty") for diagnostic in error.diagnostics)
        if not empty or told or not codes & {*FOLLOWS}:
            raise
        raise fail(
            "E0625",
            f"`{empty[0].examples[0]}` is empty",
            "get the file again: it holds not a single line",
            notes=[diagnostic.message for diagnostic in error.diagnostics],
        ) from None
