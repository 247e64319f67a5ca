"""The parser of the language: from its tables, or from `grammar/lego.lark` where another Lark is
installed than the one they were written for. That costs a little time at every start, and nothing
else."""

from functools import lru_cache

import lark

from legoc.language.declaring.shipped import shipped
from legoc.language.syntax.tables import read_tables


STARTS = ("start", "value", "args", "axis")
TABLES = "lego.tables.json"


@lru_cache(maxsize=1)
def parser() -> lark.Lark:
    """The LALR(1) parser of the language; it holds no state of any document."""
    file = shipped("grammar/lego.lark")
    grammar = file.read_text("utf-8")
    try:
        tables = file.with_name(TABLES).read_text("utf-8")
    except OSError:
        tables = ""
    return read_tables(tables, grammar) or build_parser(grammar)


def build_parser(grammar: str) -> lark.Lark:
    """The parser a grammar describes."""
    return lark.Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
