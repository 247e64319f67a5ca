"""Names as the language writes them: plain words, words with other letters, and the rest in quotes.

Columns of a table have names of all sorts. One that is no plain word may still name an attribute:
`标题(20)`, `"Product Title"(16)`, `"Product Category"()`. Quotes without parentheses hold a text.
"""

import json
import re
from collections.abc import Sequence

from legoc.language.syntax import tree
from legoc.language.syntax.scan import DECLARATIONS, RESERVED, STAGES


PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LETTERS = re.compile(r"[^\W\d]\w*")
# Words of the language that are names as well, where a value stands.
BOTH = frozenset((*STAGES, *DECLARATIONS)) - {"use", "param", "run"}


def written(name: str) -> str:
    """A name as one writes it: in quotes where it would be read as something else."""
    if PLAIN.fullmatch(name):
        quoted = name in RESERVED and name not in BOTH
    else:
        quoted = LETTERS.fullmatch(name) is None
    return json.dumps(name, ensure_ascii=False) if quoted else name


def written_call(name: str, args: Sequence[str]) -> str:
    """A name with its arguments; one in quotes keeps its parentheses, which tell it from a text."""
    text = written(name)
    return f"{text}({', '.join(args)})" if args or text.startswith('"') else text


def written_path(path: tree.Path) -> str:
    """A path as it is laid out: quotes that nothing needs are left out."""
    return written(path.text) if path.span.text.startswith('"') else path.text
