"""A document judged whole: its diagnostics and the types on its arrows."""

import os
from dataclasses import dataclass, replace

from legoc.language.checking import check_resolved
from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.arrows import Arrow, find_arrows
from legoc.language.editing.buffers import Buffers
from legoc.language.resolving.resolve import resolve
from legoc.language.syntax import tree
from legoc.language.typing.lower import Lowering


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """What a check says of one version of a document. Each diagnostic has its primary label in the
    document, so that an editor has a place to show it at. `documents` are those it rests on."""

    document: Document
    diagnostics: tuple[Diagnostic, ...]
    arrows: tuple[Arrow, ...]
    documents: tuple[Document, ...]


def analyse(document: Document, buffers: Buffers, catalog: Catalog) -> Analysis:
    """Check a document; files it uses are read from open texts first. Never raises for a mistake of
    the user."""
    lowering = Lowering(catalog)
    resolved = resolve(document, files=buffers.files())
    checked = check_resolved(resolved, lowering)
    root = buffers.parse(document).tree
    return Analysis(
        document=document,
        diagnostics=tuple(placed(d, document, root) for d in checked.diagnostics),
        arrows=find_arrows(document, checked, lowering),
        documents=resolved.documents,
    )


def placed(diagnostic: Diagnostic, document: Document, root: tree.Tree) -> Diagnostic:
    """The diagnostic with its primary label in the document. One about another file stands where
    it has a label here, else at the `use` of that file, and says where it comes from."""
    primary = diagnostic.primary
    if primary is not None and primary.document is document:
        return diagnostic
    own = [label.span for label in diagnostic.labels if label.span.document is document]
    if primary is None:
        text, others = "", diagnostic.labels
    else:
        line, column = primary.position
        text = f"see {os.path.basename(primary.path)}:{line}:{column}"
        others = tuple(replace(label, primary=False) for label in diagnostic.labels)
    place = own[0] if own else use_of(root, primary, document)
    fix = diagnostic.fix
    return replace(
        diagnostic,
        labels=(Label(span=place, text=text, primary=True), *others),
        fix=fix if fix is not None and fix.span.document is document else None,
    )


def use_of(root: tree.Tree, span: Span | None, document: Document) -> Span:
    """The `use` that brings in the file of a span, or the first one; else the first line."""
    uses = [item for item in root.items if isinstance(item, tree.Use)]
    folder = os.path.dirname(document.path)
    for use in uses:
        path = os.path.realpath(os.path.join(folder, use.file.value))
        if span is not None and path == os.path.realpath(span.path):
            return use.file.span
    return uses[0].file.span if uses else Span(document, 0, len(document.line(1)))
