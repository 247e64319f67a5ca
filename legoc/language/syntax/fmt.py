"""The formatter: 88 columns, two spaces, no options (LANGUAGE section 9).

What fits stands on one line; what does not opens, one part per line. The result is parsed and
compared with the original and formatted once more; a difference is an internal error, never silent
damage.
"""

from legoc.language.diagnosing.diagnostics import SpecError
from legoc.language.diagnosing.document import Document
from legoc.language.syntax import tree
from legoc.language.syntax.layout import WIDTH, Layout
from legoc.language.syntax.parse import Parsed, parse


__all__ = ["WIDTH", "format", "lay_out", "verify"]


def format(document: Document) -> str:
    """The text of a file, formatted. Raises SpecError where the file does not parse."""
    parsed = parse(document)
    wrong = [d for d in parsed.diagnostics if d.severity == "error"]
    if wrong:
        raise SpecError(*wrong)
    text = lay_out(parsed)
    verify(parsed, text)
    return text


def lay_out(parsed: Parsed) -> str:
    """The formatted text of a tree with its comments."""
    return Layout(parsed).text()


def verify(parsed: Parsed, text: str) -> None:
    """The formatted text means the same, keeps every comment, and formats to itself."""
    again = parse(Document(parsed.document.path, text))
    if again.diagnostics or tree.outline(again.tree) != tree.outline(parsed.tree):
        raise AssertionError(f"formatting changed what {parsed.document.path} says")
    kept = sorted(span.text for span in again.comments)
    if kept != sorted(span.text for span in parsed.comments):
        raise AssertionError(f"formatting lost a comment of {parsed.document.path}")
    if lay_out(again) != text:
        raise AssertionError(f"formatting {parsed.document.path} twice gives another text")
