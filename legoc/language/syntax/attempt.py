"""One try of the grammar on a text, from an offset: what was read, or where it stopped."""

import lark

from legoc.language.diagnosing.document import Document
from legoc.language.syntax.build import Raw
from legoc.language.syntax.grammar import parser
from legoc.language.syntax.mistakes import Mistake, read_mistake


def raw_or_mistake(document: Document, start: int, rule: str) -> "Raw | Mistake":
    """Parse from an offset. What lies before it is blanked, so that offsets stay the file's."""
    text = " " * start + document.text[start:]
    try:
        return parser().parse(text, start=rule)
    except lark.exceptions.UnexpectedInput as error:
        return read_mistake(document, start, error)
