"""A diagnostic is a value: code, one line, labels in the source, notes and help.

Every layer of legoc reports a user's mistake with these values: the front end collects them, later
phases raise one as `LegoError`. How they look is the business of `render`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from legoc.language.diagnosing.document import Span


Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a place in the source is; one label of a diagnostic is primary."""

    span: Span
    text: str
    primary: bool = False


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A change of the text. `safe`: spelling or the form of a number; `ask`: changes a model."""

    grade: Literal["safe", "ask"]
    title: str
    span: Span
    replacement: str


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One message. It has a label or a help line; `message` fits on a line.

    brief: it is printed on one line, without its source.
    """

    code: str
    message: str
    severity: Severity = "error"
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fix: Fix | None = None
    brief: bool = False

    @property
    def primary(self) -> Span | None:
        return next((label.span for label in self.labels if label.primary), None)


class LegoError(Exception):
    """A mistake of the user: the command line prints the diagnostics and exits with 1."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics: Sequence[Diagnostic] = diagnostics


class SpecError(LegoError):
    """A spec that does not check."""


def fail(code: str, message: str, *help: str, notes: Sequence[str] = ()) -> LegoError:
    """The error of a later phase (data, training, export, bundle) that has no place in a
    spec: a code, what is wrong, and what to do."""
    return LegoError(Diagnostic(code=code, message=message, help=help, notes=tuple(notes)))


def refusal(
    code: str, span: Span, message: str, label: str, *help: str, fix: Fix | None = None
) -> Diagnostic:
    """An error about one place: what is wrong, what that place is, and what to type."""
    labels = (Label(span=span, text=label, primary=True),)
    return Diagnostic(code=code, message=message, labels=labels, help=help, fix=fix)
