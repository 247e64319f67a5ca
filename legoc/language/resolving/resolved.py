"""A file with its names resolved: what `resolve` and `spec_form` make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.declared import Copied
from legoc.language.resolving.override import Trace
from legoc.language.resolving.template import Called, Entry, RecordTemplate, RunTemplate
from legoc.language.syntax import tree


@dataclass(frozen=True, eq=False, kw_only=True)
class Stated:
    """A derived value as a file states it: `types.item` of the spec `name`."""

    name: str
    group: str
    key: str
    value: str
    span: Span


@dataclass(frozen=True, eq=False, kw_only=True)
class Resolved:
    """A file with its names resolved.

    runs: what the file runs; a bare pipeline is one run on `Demo` with the default recipe, named
        after the file. Runs that depend on a mistake are missing.
    loose: a run for each model the file declares and neither runs nor copies, so that it can be
        checked: on the file's only data set, else on `Demo`, without a recipe. One with axes is
        `where_valid`, because no run says yet which of its points are meant.
    spare: declared data, recipes and exports that no run and no copy uses.
    unused: what is declared or brought in and never used, if the file runs anything.
    generations: what the file declares that models shall write, used or not.
    documents: every file read, this one first.
    stated: what a spec in JSON or YAML says of itself that follows from the rest of it.
    copied: the fields that copies replace.
    overrides: what became of each `--set`; again: the same file with others.
    """

    document: Document
    diagnostics: tuple[Diagnostic, ...]
    runs: tuple[RunTemplate, ...] = ()
    loose: tuple[RunTemplate, ...] = ()
    spare: tuple[RecordTemplate, ...] = ()
    unused: tuple[tree.Word, ...] = ()
    documents: tuple[Document, ...] = ()
    generations: tuple[RecordTemplate, ...] = ()
    stated: tuple[Stated, ...] = ()
    copied: tuple[Copied, ...] = ()
    overrides: tuple[Trace, ...] = ()
    again: "Callable[[Sequence[str]], Resolved] | None" = None


def demo(span: Span) -> RecordTemplate:
    """The data of a file that names none; its place is the place that needs it."""
    source = Entry("source", span, Called("Demo", span, span))
    return RecordTemplate("data", "Demo", span, {"source": source})
