"""What is said of overrides: keys that fit nothing (E0202, E0207, E0303), and those that change
nothing (W102)."""

from legoc.language.declaring.kinds import STAGES
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.resolving.scope import Scope
from legoc.language.resolving.template import Listed, PipelineTemplate, Template
from legoc.language.resolving.wording_references import ARTICLES
from legoc.language.syntax import tree


def unknown_target(key: tree.Path, scope: Scope) -> Diagnostic:
    """`--set` on a name that is not there."""
    head = key.words[0]
    dotted = len(key.words) > 1
    kinds = ("data", "train", "export", "model")
    pool = [name for name, t in scope.names.items() if (t.kind != "param") == dotted]
    pool += [kind for kind in kinds if dotted and kind not in scope.names]
    close = nearest(head.text, pool)
    if dotted and head.text in STAGES:
        help = f"a stage is reached through the model: `--set model.{key.text}=...`"
    elif close is not None:
        help = f"did you mean `{close}`?"
    elif dotted:
        help = f"a dotted name begins with {listing(pool, quote='`', joint='or')}"
    elif pool:
        help = f"the params of this file are {listing(pool, quote='`')}"
    else:
        help = "the file has no param; a dotted name reaches a declaration: `--set train.lr=1e-4`"
    what = "declaration" if dotted else "param"
    return refusal(
        "E0202", head.span, f"`--set` names no {what} of `{scope.document.path}`",
        f"no {what} of this name", help,
    )  # fmt: skip


def no_such_part(key: tree.Path, item: tree.Setting | tree.Declared) -> Diagnostic:
    """A dotted key on a param, or a bare name of a declaration."""
    name = item.name.text
    if isinstance(item, tree.Setting):
        message = f"`{name}` is a param and has no parts"
        help = f"set it whole: `--set {name}=VALUE`"
    else:
        message = f"`{name}` is {ARTICLES[item.kind]} and takes no value as a whole"
        inner = "content" if item.kind == "model" else "field"
        help = f"set a part of it: `--set {name}.{inner}=VALUE`"
    return refusal("E0202", key.span, message, "set here", help)


def no_run_has(key: tree.Path, scope: Scope) -> Diagnostic:
    """`--set train.…` where no run has a recipe."""
    kind = key.words[0].text
    clause = {"train": " with NAME", "export": " as NAME"}.get(kind, "")
    return refusal(
        "E0202", key.span, f"no run of `{scope.document.path}` has {ARTICLES[kind]}",
        "changes nothing", f"name one in a run: `run MODEL on DATA{clause}`",
    )  # fmt: skip


def no_stage(model: PipelineTemplate, key: tree.Path) -> Diagnostic:
    """A key whose first word is no stage of the model."""
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


def not_set(owner: str, head: tree.Word, key: tree.Path) -> Diagnostic:
    """A key into a field or an argument that is not written."""
    return refusal(
        "E0202", head.span,
        f"`{head.text}` is not set in `{owner}`, so nothing in it can be changed", "not set there",
        f"give it whole: `{head.text}=NAME({key.words[-1].text}=...)`",
    )  # fmt: skip


def no_parts(old: Template, word: tree.Word, key: tree.Path) -> Diagnostic:
    """A key into something that has no parameters."""
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


def no_operator(template: Template, role: str) -> Diagnostic:
    """Something else where a stage takes an operator."""
    return refusal(
        "E0303", template.span, f"`{role}` is a stage and takes an operator", "this is not one",
        f"name an operator: `legoc operators {role}` lists them",
    )  # fmt: skip


def replaced_behind(key: tree.Path, later: tree.Path) -> Diagnostic:
    """W102: a dotted key, and behind it in the same place the whole of what it changes."""
    return changes_nothing(
        f"`{key.text}` is replaced by `{later.text}` behind it",
        key.span,
        Label(span=later.span, text=f"replaces all of `{later.text}`"),
        help=f"write it inside, `{later.text}=NAME({key.words[-1].text}=...)`, or behind it",
    )


def changes_nothing(message: str, span: Span, *labels: Label, help: str) -> Diagnostic:
    """W102 at an override."""
    return Diagnostic(
        code="W102",
        severity="warning",
        message=message,
        labels=(Label(span=span, text="this override changes nothing", primary=True), *labels),
        help=(help,),
    )
