"""What stands at a key of a template, and the template with something else there (LANGUAGE
section 4, rule 2). Every override ends here, whether a copy states it or `--set` does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from legoc.language.declaring.catalog import catalog_or_empty
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from legoc.language.resolving.template import (
    Called,
    Entry,
    Leaf,
    Listed,
    PipelineTemplate,
    RecordTemplate,
    StageTemplate,
    Sweep,
    Template,
)
from legoc.language.resolving.wording_overrides import no_operator, no_parts, no_stage, not_set
from legoc.language.syntax import tree


Made: TypeAlias = RecordTemplate | PipelineTemplate


class Refused(Exception):
    """An override that fits nothing; it carries what is said of it."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(each.message for each in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True, eq=False)
class Place:
    """What a key names: the kind of value declared there, and what stands there. Either is None
    where it is unknown."""

    kind: Kind | None
    template: Template | None


def place_at(made: Made, key: tree.Path) -> Place:
    """The place a key names; below an axis, that in its first option."""
    head, *rest = key.words
    if isinstance(made, RecordTemplate):
        entry = made.fields.get(head.text)
        declared = RECORDS[made.kind].param(head.text)
        place = Place(declared.kind if declared else None, entry.template if entry else None)
    else:
        stage = next((stage for stage in made.stages if stage.role == head.text), None)
        kind = Kind("operator", role=head.text)
        place = Place(kind if stage else None, stage.template if stage else None)
    for word in rest:
        place = place_below(place, word.text)
    return place


def place_below(place: Place, name: str) -> Place:
    """The place of one parameter of the operator that stands at another."""
    template, role = place.template, role_of_kind(place.kind)
    while isinstance(template, Sweep):
        template = template.options[0] if template.options else None
    if isinstance(template, Leaf):
        template = opened(template, role)
    if not isinstance(template, Called):
        return Place(None, None)
    owner = catalog_or_empty().get(role, template.name) if role else None
    entry = named(template, owner).args.get(name)
    declared = owner.param(name) if owner else None
    return Place(declared.kind if declared else None, entry.template if entry else None)


def documents(template: Template) -> Iterator[Document]:
    """The documents that parts of a template come from."""
    yield template.span.document
    if isinstance(template, Called):
        for entry in template.args.values():
            yield entry.name_span.document
            yield from documents(entry.template)
        for each in template.positional:
            yield from documents(each)
    elif isinstance(template, Listed | Sweep):
        for each in template.items if isinstance(template, Listed) else template.options:
            yield from documents(each)


def role_of(owner: Declaration | None, key: str) -> str | None:
    """The role of the operator that a parameter takes, alone or in a list."""
    found = owner.param(key) if owner else None
    if found is None:
        return None
    return role_of_kind(found.kind)


def role_of_kind(kind: Kind | None) -> str | None:
    """The role of the operators that values of a kind are, alone or in a list."""
    if kind is not None and kind.name == "list":
        kind = kind.element
    return kind.role if kind else None


def replaced(made: Made, key: tree.Path, template: Template) -> Made:
    """A record or a model with a part replaced."""
    if isinstance(made, RecordTemplate):
        return replaced_in_record(made, key, template)
    return replaced_in_model(made, key, template)


def replaced_in_record(
    record: RecordTemplate, key: tree.Path, template: Template
) -> RecordTemplate:
    """A record with one field, or one parameter inside a field, replaced."""
    head, *rest = key.words
    owner = RECORDS[record.kind]
    if not rest:
        entry = Entry(head.text, key.span, template)
        return replace(record, fields={**record.fields, head.text: entry})
    old = record.fields.get(head.text)
    if old is None:
        raise Refused(not_set(record.name, head, key))
    changed = replaced_below(old.template, role_of(owner, head.text), rest, key, template)
    entry = replace(old, template=changed)
    return replace(record, fields={**record.fields, head.text: entry})


def replaced_in_model(
    model: PipelineTemplate, key: tree.Path, template: Template
) -> PipelineTemplate:
    """A model with one stage, or one parameter inside a stage, replaced."""
    head, *rest = key.words
    places = [place for place, stage in enumerate(model.stages) if stage.role == head.text]
    if not places:
        raise Refused(no_stage(model, key))
    stages = list(model.stages)
    for place in places:
        old = stages[place]
        if rest:
            changed = replaced_below(old.template, old.role, rest, key, template)
            stages[place] = replace(old, template=changed)
        else:
            verify_operators(template, head.text)
            stages[place] = StageTemplate(old.role, head.span, template)
    return replace(model, stages=tuple(stages))


def replaced_below(
    old: Template, role: str | None, rest: Sequence[tree.Word], key: tree.Path, new: Template
) -> Template:
    """Replace what lies at `rest` below a template; in every option, where that is an axis."""
    if isinstance(old, Sweep):
        options = tuple(replaced_below(option, role, rest, key, new) for option in old.options)
        return replace(old, options=options)
    if isinstance(old, Leaf):
        old = opened(old, role) or old
    if not isinstance(old, Called):
        raise Refused(no_parts(old, rest[0], key))
    owner = catalog_or_empty().get(role, old.name) if role else None
    return replaced_in_call(old, owner, rest, key, new)


def replaced_in_call(
    old: Called,
    owner: Declaration | None,
    rest: Sequence[tree.Word],
    key: tree.Path,
    new: Template,
) -> Called:
    """A call with one argument replaced, or something inside one."""
    old = named(old, owner)
    head, *further = rest
    present = old.args.get(head.text)
    if not further:
        entry = Entry(head.text, head.span.to(rest[-1].span), new)
    elif present is None:
        raise Refused(not_set(old.name, head, key))
    else:
        changed = replaced_below(present.template, role_of(owner, head.text), further, key, new)
        entry = replace(present, template=changed)
    return replace(old, args={**old.args, head.text: entry}, called=True)


def named(old: Called, owner: Declaration | None) -> Called:
    """A call whose one positional argument has got the name it stands for."""
    primary = owner.primary if owner else None
    if primary is None or len(old.positional) != 1 or primary in old.args:
        return old
    (value,) = old.positional
    entry = Entry(primary, value.span, value)
    return replace(old, args={primary: entry, **old.args}, positional=())


def opened(leaf: Leaf, role: str | None) -> Called | None:
    """The operator a bare number stands for (`lora=32` is `LoRA(r=32)`)."""
    value = leaf.given.value
    if role is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = catalog_or_empty().shorthand(role)
    if found is None or found.shorthand is None:
        return None
    entry = Entry(found.shorthand, leaf.span, leaf)
    return Called(found.name, leaf.span, leaf.span, {found.shorthand: entry}, (), True)


def verify_operators(template: Template, role: str) -> None:
    """A stage holds an operator, or an axis of operators."""
    if isinstance(template, Sweep):
        for option in template.options:
            verify_operators(option, role)
    elif not isinstance(template, Called):
        raise Refused(no_operator(template, role))
