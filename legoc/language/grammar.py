"""The parser's tables: built from `grammar/lego.lark` once, then read from a cache of Lark's own.

Building them costs as much as a whole check, so they are kept in the user's cache folder under a
digest of the grammar, of Lark's version and of Python's. A folder that cannot be written costs
time and nothing else.
"""

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import lark

from legoc.language.shipped import shipped


STARTS = ("start", "value", "args")


@lru_cache(maxsize=1)
def parser() -> lark.Lark:
    """The LALR(1) parser of the language; it holds no state of any document."""
    grammar = shipped("grammar/lego.lark").read_text("utf-8")
    kept = table_file(grammar)
    if kept is None:
        return build(grammar, None)
    if kept.exists():
        return build(grammar, kept)
    # Lark writes in place; a reader must never meet half a table.
    fresh: str | None = None
    try:
        handle, fresh = tempfile.mkstemp(prefix=kept.name, dir=kept.parent)
        os.close(handle)
        os.unlink(fresh)
        made = build(grammar, Path(fresh))
        if os.path.getsize(fresh):
            os.replace(fresh, kept)
        return made
    except OSError:
        return build(grammar, None)
    finally:
        if fresh is not None:
            with suppress(OSError):
                os.unlink(fresh)


def build(grammar: str, cache: Path | None) -> lark.Lark:
    return lark.Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        keep_all_tokens=True,
        maybe_placeholders=False,
        cache=str(cache) if cache is not None else False,
    )


def table_file(grammar: str) -> Path | None:
    """Where the tables of this grammar are kept; None where no such folder can be made.

    Never the shared temporary folder, Lark's default: the file is unpickled when it is read.
    """
    named = os.environ.get("LEGOC_CACHE")
    try:
        root = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
        folder = (root if named else root.expanduser() / "legoc") / "grammar"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):
        return None
    version = f"{lark.__version__}\0{sys.version_info[:2]}\0"
    return folder / f"{hashlib.sha256((version + grammar).encode()).hexdigest()[:20]}.tables"
