"""Specs from texts, over the declarations of these tests."""

from legoc.language.checking import Checked, check
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Spec
from tests.language.declared import CATALOG


DATA = "data demo { source = Demo  content = [title(30), category] }\ntrain base { }\n"


def checked(text: str, *overrides: str, only: str | None = None) -> Checked:
    return check(Document("t.lego", text), overrides=overrides, only=only, known=CATALOG)


def specs_of(text: str, *overrides: str) -> tuple[Spec, ...]:
    found = checked(text, *overrides)
    assert not found.diagnostics, found.diagnostics
    return found.specs


def spec_of(text: str, *overrides: str) -> Spec:
    (found,) = specs_of(text, *overrides)
    return found


def run_of(model: str, data: str = "demo", train: str = "base") -> str:
    """A file that runs one pipeline."""
    return f"{DATA}model m = {model}\nrun m on {data} with {train}\n"


def codes(text: str, *overrides: str) -> list[str]:
    return [diagnostic.code for diagnostic in checked(text, *overrides).diagnostics]
