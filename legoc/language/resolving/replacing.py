"""Overrides: a key, dotted or not, replaces what stands in a copy (LANGUAGE section 4, rule 2)."""

from collections.abc import Sequence
from dataclasses import replace

from legoc.language.declaring.catalog import catalog_or_empty
from legoc.language.declaring.declare import STAGES, Declaration
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label, refusal
from legoc.language.diagnosing.suggest import listing, nearest
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
from legoc.language.syntax import tree


class Refused(Exception):
    """An override that fits nothing; it carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def role_of(owner: Declaration | None, key: str) -> str | None:
    """The role of the operator that a parameter takes, alone or in a list."""
    found = owner.param(key) if owner else None
    if found is None:
        return None
    kind = found.kind.element if found.kind.name == "list" else found.kind
    return kind.role if kind else None


def change_record(record: RecordTemplate, key: tree.Path, template: Template) -> RecordTemplate:
    """A record with one field, or one parameter inside a field, replaced."""
    head, *rest = key.words
    owner = RECORDS[record.kind]
    if not rest:
        entry = Entry(head.text, key.span, template)
        return replace(record, fields={**record.fields, head.text: entry})
    old = record.fields.get(head.text)
    if old is None:
        raise Refused(not_set(record, key))
    changed = change(old.template, role_of(owner, head.text), rest, key, template)
    entry = replace(old, template=changed)
    return replace(record, fields={**record.fields, head.text: entry})


def change_pipeline(
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
            changed = change(old.template, old.role, rest, key, template)
            stages[place] = replace(old, template=changed)
        else:
            verify_operators(template, head.text)
            stages[place] = StageTemplate(old.role, head.span, template)
    return replace(model, stages=tuple(stages))


def change(
    old: Template, role: str | None, rest: Sequence[tree.Word], key: tree.Path, new: Template
) -> Template:
    """Replace what lies at `rest` below a template; in every option, where that is an axis."""
    if isinstance(old, Sweep):
        options = tuple(change(option, role, rest, key, new) for option in old.options)
        return replace(old, options=options)
    if isinstance(old, Leaf):
        old = opened(old, role) or old
    if not isinstance(old, Called):
        raise Refused(no_parts(old, rest[0], key))
    owner = catalog_or_empty().get(role, old.name) if role else None
    return change_arguments(old, owner, rest, key, new)


def change_arguments(
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
        raise Refused(no_argument(old, head, key))
    else:
        changed = change(present.template, role_of(owner, head.text), further, key, new)
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
        raise Refused(
            Diagnostic(
                code="E0303",
                message=f"`{role}` is a stage and takes an operator",
                labels=(Label(span=template.span, text="this is not one", primary=True),),
                help=(f"name an operator: `legoc operators {role}` lists them",),
            )
        )


def no_stage(model: PipelineTemplate, key: tree.Path) -> Diagnostic:
    head = key.words[0]
    roles = [stage.role for stage in model.stages]
    close = nearest(head.text, roles)
    stages = f"the stages of `{model.name}` are {listing(roles, quote='`')}"
    help = f"did you mean `{close}`? {stages}" if close else stages
    found = f"`{model.name}` has no stage `{head.text}`"
    if close is None and len(key.words) == 1 and head.text not in STAGES:
        dotted = f"a parameter of a stage is set by a dotted key: `{roles[0]}.{head.text}`"
        return refusal("E0207", head.span, found, "no such stage", help, dotted)
    fix = None
    if close is not None and head.text not in STAGES:
        title = f"write `{close}`"
        fix = Fix(grade="safe", title=title, span=head.span, replacement=close)
    return refusal("E0207", head.span, found, "no such stage", help, fix=fix)


def not_set(record: RecordTemplate, key: tree.Path) -> Diagnostic:
    head = key.words[0]
    return refusal(
        "E0202", head.span,
        f"`{head.text}` is not set in `{record.name}`, so nothing in it can be changed",
        "not set there",
        f"give it whole: `{head.text}=NAME({key.words[-1].text}=...)`",
    )  # fmt: skip


def no_argument(old: Called, head: tree.Word, key: tree.Path) -> Diagnostic:
    return refusal(
        "E0202", head.span,
        f"`{head.text}` is not set in `{old.name}`, so nothing in it can be changed",
        "not set there",
        f"give it whole: `{head.text}=NAME({key.words[-1].text}=...)`",
    )  # fmt: skip


def no_parts(old: Template, word: tree.Word, key: tree.Path) -> Diagnostic:
    kind = "a list" if isinstance(old, Listed) else "a plain value"
    return Diagnostic(
        code="E0303",
        message=f"`{key.text}` reaches into {kind}",
        labels=(
            Label(span=word.span, text="nothing has this name", primary=True),
            Label(span=old.span, text=f"{kind} stands here"),
        ),
        help=("replace the whole value",),
    )
