"""W102: an override that says what stands there already.

A setting that merely repeats its default is no mistake: recipes write theirs out for the reader.
An override is written to change something, so one that does not is worth a look.
"""

from collections.abc import Sequence

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.template import (
    Called,
    Leaf,
    Listed,
    PipelineTemplate,
    RecordTemplate,
    Template,
)
from legoc.language.syntax import tree


def changes_nothing(
    made: RecordTemplate | PipelineTemplate, field: tree.Field, new: Template
) -> Diagnostic | None:
    """The warning for a literal that equals what it replaces; what a param gives may be set from
    outside and is left alone."""
    if any(isinstance(part, tree.Variable) for part in tree.walk(field)):
        return None
    old = standing(made, [word.text for word in field.key.words])
    if old is None or not same(old, new):
        return None
    return Diagnostic(
        code="W102",
        severity="warning",
        message=f"`{field.key.text}` of `{made.name}` has this value already",
        labels=(
            Label(span=field.span, text="this override changes nothing", primary=True),
            Label(span=old.span, text="already here"),
        ),
        help=("drop it, or write another value",),
    )


def standing(made: RecordTemplate | PipelineTemplate, words: Sequence[str]) -> Template | None:
    """What a key replaces; None where that is written nowhere."""
    head, *rest = words
    found: Template | None
    if isinstance(made, RecordTemplate):
        entry = made.fields.get(head)
        found = entry.template if entry else None
    else:
        found = next((stage.template for stage in made.stages if stage.role == head), None)
    for word in rest:
        inner = found.args.get(word) if isinstance(found, Called) else None
        found = inner.template if inner else None
    return found


def same(old: Template, new: Template) -> bool:
    """Whether two templates are one literal."""
    match old, new:
        case Leaf(given=one), Leaf(given=other):
            return literal(one) == literal(other)
        case Listed(), Listed():
            return same_all(old.items, new.items)
        case Called(), Called():
            return (
                old.name == new.name
                and old.args.keys() == new.args.keys()
                and same_all(old.positional, new.positional)
                and all(same(old.args[key].template, new.args[key].template) for key in old.args)
            )
        case _:
            return False


def same_all(old: Sequence[Template], new: Sequence[Template]) -> bool:
    return len(old) == len(new) and all(map(same, old, new))


def literal(given: Given) -> tuple[object, ...]:
    """A value that `1` and `true` do not share."""
    value = given.value
    if isinstance(value, Measure):
        return "unit", value.number, value.unit
    return type(value).__name__, value
