"""What is said of names that mean nothing, or something else (E0202 to E0204, E0301)."""

from collections.abc import Sequence

from legoc.language.declaring.catalog import catalog_or_empty
from legoc.language.declaring.kinds import STAGES
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import grade, nearest
from legoc.language.resolving.scope import Scope, Target
from legoc.language.resolving.template import RecordTemplate
from legoc.language.resolving.wording_operators import ROLE_NAMES, article
from legoc.language.syntax import tree
from legoc.language.syntax.scan import RESERVED


FORMS = {
    "data": "data {name} {{ source = ... }}",
    "generate": "generate {name} {{ of = ...  task = ...  model = ... }}",
    "train": "train {name} {{ epochs = 10 }}",
    "export": "export {name} {{ precision = fp16 }}",
    "model": "model {name} = content ... -> behavior ... -> predict ...",
    "param": "param {name} = 64",
}
ARTICLES = {
    "data": "a data set", "train": "a training recipe", "export": "an export", "model": "a model",
    "param": "a param", "generate": "a generation", "prefix": "the prefix of a file",
}  # fmt: skip


def unknown(path: tree.Path, where: Scope, name: tree.Word, kinds: Sequence[str]) -> Diagnostic:
    """A reference to nothing."""
    pool = [known for known, target in where.names.items() if target.kind in kinds]
    prefixed = [
        f"{prefix}.{known}"
        for prefix, target in where.names.items()
        if target.item is None
        for known, inner in target.scope.names.items()
        if inner.kind in kinds
    ]
    kind = kinds[0]
    close = nearest(name.text, pool) or nearest(path.text, prefixed)
    same = next((each for each in prefixed if each.split(".")[1] == path.text), None)
    close = close or same
    fix = None
    if close is not None:
        help = f"did you mean `{close}`?"
        span = name.span if close in pool else path.span
        fix = Fix(
            grade=grade(path.text, close), title=f"write `{close}`", span=span, replacement=close
        )
    else:
        form = FORMS[kind].format(name=name.text)
        if kind == "data" and runs_by_name(name.text):
            form = f"data {name.text} {{ source = {runs_by_name(name.text)} }}"
        help = f'declare it, `{form}`, or bring it in: `use "file.lego" ({name.text})`'
        if name.text in RESERVED:
            form = FORMS[kind].format(name="base")
            help = f"`{name.text}` is a word of the language; name a declaration: `{form}`"
        found = operator_called(name.text) if kind == "model" else None
        if found is not None:
            example = "content CNN -> behavior Additive -> predict Dot"
            help = f"`{name.text}` is {found}; a model is a pipeline, `model NAME = {example}`"
    words = {"data": "data set", "train": "training recipe", "generate": "generation"}
    label = f"no {words.get(kind, kind)} of this name"
    return Diagnostic(
        code="E0202",
        message=f"unknown name `{path.text}`",
        labels=(Label(span=path.span, text=label, primary=True),),
        help=(help,),
        fix=fix,
    )


def runs_by_name(name: str) -> str | None:
    """The source of this name, in whatever case, if it takes nothing that has to be given."""
    return next(
        (
            d.name for d in catalog_or_empty().role("source")
            if d.name.lower() == name.lower() and not any(p.required for p in d.params)
        ),
        None,
    )  # fmt: skip


def operator_called(name: str) -> str | None:
    """What an operator of this name is, if there is one for a stage."""
    found = next((d for d in catalog_or_empty() if d.name == name and d.role in STAGES), None)
    return article(ROLE_NAMES[found.role]) if found else None


def other_kind(path: tree.Path, target: Target, kinds: Sequence[str]) -> Diagnostic:
    """A reference to something else."""
    wanted = ARTICLES[kinds[0]]
    return Diagnostic(
        code="E0202",
        message=f"`{path.text}` is {ARTICLES[target.kind]}, not {wanted}",
        labels=(
            Label(span=path.span, text=f"{wanted} is named here", primary=True),
            Label(span=target.span, text=f"`{path.words[-1].text}` comes from here"),
        ),
        help=(f"name {wanted}: `{FORMS[kinds[0]].format(name='NAME')}` declares one",),
    )


def unknown_param(scope: Scope, name: str, span: Span, target: Target | None) -> Diagnostic:
    """`$name` without a param."""
    pool = [known for known, each in scope.names.items() if each.kind == "param"]
    close = nearest(name, pool)
    if target is not None:
        label = f"`{name}` is {ARTICLES[target.kind]}"
        help = "`$` names a param; a declaration is named without it"
    else:
        label = "no param of this name"
        help = f"did you mean `${close}`?" if close else f"declare it: `param {name} = value`"
    fix = None
    if close is not None and target is None:
        fix = Fix(
            grade=grade(name, close), title=f"write `${close}`", span=span, replacement=f"${close}"
        )  # fmt: skip
    return Diagnostic(
        code="E0202",
        message=f"unknown param `${name}`",
        labels=(Label(span=span, text=label, primary=True),),
        help=(help,),
        fix=fix,
    )


def circle(items: Sequence[tree.Setting | tree.Declared]) -> Diagnostic:
    """Declarations that rest on each other."""
    names = [item.name.text for item in (*items, items[0])]
    labels = [
        Label(span=item.name.span, text="rests on itself" if not place else "by way of this",
              primary=not place)
        for place, item in enumerate(items)
    ]  # fmt: skip
    return Diagnostic(
        code="E0203",
        message=f"`{names[0]}` is defined by itself",
        labels=tuple(labels),
        notes=(" rests on ".join(f"`{name}`" for name in names),) if len(items) > 1 else (),
        help=("write one of them out" if len(items) > 1 else "give it a value of its own",),
    )


def too_long(item: tree.Setting | tree.Declared) -> Diagnostic:
    """A chain of copies that no reader could follow."""
    return refusal(
        "E0203", item.name.span, "too many declarations rest on each other in one chain",
        "this is more than 60 steps away", "copy an earlier one",
    )  # fmt: skip


def field_needs_name(value: "tree.Value", ref: tree.Invocation, kind: str) -> Diagnostic:
    """A positional argument where fields are replaced."""
    example = "content=CNN" if kind == "model" else "field=value"
    return refusal(
        "E0301", value.span, f"an argument of `{ref.path.text}` needs a name",
        f"which part of `{ref.path.text}` is meant?", f"write `{ref.path.text}({example})`",
    )  # fmt: skip


def many_data(record: RecordTemplate, span: Span) -> Diagnostic:
    """A generation of data that have an axis."""
    _, axis = record.sweeps[0]
    return Diagnostic(
        code="E0920",
        message=f"`{record.name}` stands for several data sets, and a generation reads one",
        labels=(
            Label(span=span, text="one data set is named here", primary=True),
            Label(span=axis.span, text="an axis of it"),
        ),
        help=("declare the data once without the axis, and copy it where the axis is wanted",),
    )


def swept_generation(field: tree.Field) -> Diagnostic:
    """An axis in a `generate`."""
    return refusal(
        "E0920", field.binding.span, f"`{field.key.text}` of a generation has one value",
        "an axis", "declare a `generate` for each, and sweep over `augment` of the data",
    )  # fmt: skip
