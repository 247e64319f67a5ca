"""Gzip files that break off: refused, unless the user asked to read on what is whole of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import LegoError, fail


REASON = "gzip file that breaks off"
FLAG = "--keep-truncated"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was read although it breaks off: the files by their shown name, and their count."""

    losses: Losses = field(default_factory=Losses)
    files: set[str] = field(default_factory=set[str])


# Sources call the readers, and none of them has a say in this: the choice reaches past them.
KEEPING: ContextVar[Kept | None] = ContextVar("keeping", default=None)


@contextmanager
def keep_whole(wanted: bool) -> Iterator[Kept]:
    """Within the block, files that break off are read to their last whole line if `wanted`."""
    kept = Kept()
    token = KEEPING.set(kept if wanted else None)
    try:
        yield kept
    finally:
        KEEPING.reset(token)


def meet_end(shown: str, number: int, error: EOFError) -> None:
    """Count a file that breaks off after a line, where that is wanted; else raise E0622."""
    kept = KEEPING.get()
    if kept is None:
        raise broken_off(f"`{shown}` is a gzip file that breaks off after line {number}", error)
    kept.files.add(shown)
    kept.losses.add(REASON, "read up to its last whole line", "files", f"{shown}:{number}")


def is_cut(shown: str) -> bool:
    """Whether a file was found to break off, and is read nevertheless."""
    kept = KEEPING.get()
    return kept is not None and shown in kept.files


def broken_off(message: str, error: EOFError | None = None) -> LegoError:
    return fail(
        "E0622",
        message,
        "fetch the file again: the download was interrupted or the file is damaged",
        f"or read what is whole of it with `{FLAG}`",
        notes=(str(error),) if error is not None else (),
    )
