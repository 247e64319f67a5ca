"""The parser's tables: built from `grammar/lego.lark` once, then kept in Lark's own form.

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
from io import BytesIO
from pathlib import Path

import lark

from legoc.language.declaring.shipped import shipped


STARTS = ("start", "value", "args")


@lru_cache(maxsize=1)
def parser() -> lark.Lark:
    """The LALR(1) parser of the language; it holds no state of any document."""
    grammar = shipped("grammar/lego.lark").read_text("utf-8")
    kept = table_file(grammar)
    read = read_tables(kept) if kept is not None else None
    if read is not None:
        return read
    made = lark.Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
    if kept is not None:
        with suppress(OSError):
            write_tables(made, kept)
    return made


def read_tables(path: Path) -> lark.Lark | None:
    """The parser kept in a file; None where there is none, or the file is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, tables = content[:32], content[32:]
    if hashlib.sha256(tables).digest() != digest:
        return None
    return lark.Lark.load(BytesIO(tables))


def write_tables(made: lark.Lark, path: Path) -> None:
    """Keep a parser; a reader meets the whole file or none."""
    tables = BytesIO()
    made.save(tables)
    content = tables.getvalue()
    handle, fresh = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
        raise


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
