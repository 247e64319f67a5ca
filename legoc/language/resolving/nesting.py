"""Declarations that fields of others name: the data of a `generate`, a generation in `augment`.

Both are references to whole declarations where other fields take values, so what stands there is
looked up here, by the field it stands in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.template import (
    Called,
    Listed,
    Nested,
    RecordTemplate,
    Sweep,
    Template,
)
from legoc.language.resolving.wording_references import swept_generation
from legoc.language.syntax import tree


# The kind of declaration that a field of another kind names.
NAMED = {("generate", "of"): "data", ("data", "augment"): "generate"}


@dataclass(frozen=True, eq=False)
class Nesting:
    """find: the template of a declaration of a kind without axes by its reference; it raises where
    there is none. report: takes what is wrong."""

    find: Callable[[tree.Invocation, str], RecordTemplate]
    report: Callable[[Diagnostic], None]

    def named(self, owner: str, field: tree.Field, template: Template) -> Template:
        """What a field of a record of kind `owner` holds, with declarations in place of names."""
        key = field.key.text
        if owner == "generate" and isinstance(field.binding, tree.Axis):
            self.report(swept_generation(field))
        kind = NAMED.get((owner, key))
        if kind is None:
            return template
        written = {
            part.span: part for part in tree.walk(field) if isinstance(part, tree.Invocation)
        }
        return self.replaced(template, kind, written)

    def replaced(
        self, template: Template, kind: str, written: Mapping[Span, tree.Invocation]
    ) -> Template:
        if isinstance(template, Listed):
            items = tuple(self.replaced(each, kind, written) for each in template.items)
            return replace(template, items=items)
        if isinstance(template, Sweep):
            options = tuple(self.replaced(each, kind, written) for each in template.options)
            return replace(template, options=options)
        ref = written.get(template.span) if isinstance(template, Called) else None
        if ref is None:
            return template
        return Nested(self.find(ref, kind), template.span)
