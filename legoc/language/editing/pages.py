"""What is said of operators, parameters, names and words, as Markdown."""

import os
from collections.abc import Mapping
from inspect import cleandoc

from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import REQUIRED, Kind, Param
from legoc.language.diagnosing.document import Document
from legoc.language.resolving.scope import Target
from legoc.language.resolving.wording_operators import ROLE_NAMES
from legoc.language.syntax import tree
from legoc.language.syntax.scan import comments
from legoc.language.typing.wording_params import wanted


WORDS: Mapping[str, str] = {
    "use": 'brings names from another file: `use "file.lego" (a, b)`, or all under a prefix: '
    '`use "file.lego" as ns`',
    "param": "declares a setting that `$NAME` reads and `--set NAME=value` overrides",
    "data": "declares where items and clicks come from and how an item is read",
    "generate": "declares text that a language model writes about items or users",
    "train": "declares a training recipe",
    "export": "declares settings of the written graphs",
    "model": "declares a pipeline: `model NAME = content X -> behavior Y -> predict Z`",
    "run": "runs models on data: `run MODEL on DATA with TRAIN as EXPORT`",
    "content": "turns what an item says into a vector",
    "behavior": "turns the vectors of a user's clicks into a user vector",
    "flatten": "reads the tokens of all clicks at once",
    "predict": "scores a pair of user and candidate",
    "in": "sweeps: one point for each value of a list, `in [64, 128]`, or range, `in 1..5`; what a "
    "search chooses from stands in braces or is a range with `log` or fractions",
    "on": "names the data a run works on",
    "with": "names the training recipe of a run",
    "as": "names the export settings of a run, or the prefix of a used file",
    "where": "`where valid` drops points whose parts do not fit, and counts them by code",
    "valid": "`where valid` drops points whose parts do not fit, and counts them by code",
    "log": "a search tries each power of ten of the range equally often: `lr in 1e-5..1e-2 log`",
    "except": "takes matching points out: `except (content=Null, predict=Dot)`",
}


def signature_of(declaration: Declaration) -> str:
    """`CNN(hidden=64, kernel=3)`: the name with its parameters and their defaults."""
    params = ", ".join(f"{p.name}{default_of(p)}" for p in declaration.params)
    return f"{declaration.name}({params})" if params else declaration.name


def default_of(p: Param) -> str:
    """`=3`; nothing for a parameter that must be given, the variable for one that inherits."""
    if p.inherit is not None:
        return f"={p.inherit}"
    if p.default is REQUIRED:
        return ""
    return f"={write_default(p.kind, p.default)}"


def write_default(kind: Kind, default: object) -> str:
    """A declared default in the notation of the language."""
    match default:
        case None:
            return "none"
        case bool():
            return "true" if default else "false"
        case str() if kind.name in ("str", "file", "folder"):
            return f'"{default}"'
        case list() | tuple():
            element = kind.element or kind
            return f"[{', '.join(write_default(element, each) for each in default)}]"
        case {"op": op, "args": {**args}}:
            given = [f"{name}={write_default(kind, value)}" for name, value in args.items()]
            return f"{op}({', '.join(given)})" if given else str(op)
        case float():
            return f"{default:g}"
        case _:
            return str(default)


def kind_of(p: Param) -> str:
    """What values a parameter takes, in a few words."""
    text = wanted(p.kind)
    if p.kind.name == "list" and p.kind.element is not None:
        text = f"a list, each {wanted(p.kind.element)}"
    if p.min is not None and p.max is not None:
        text += f" from {p.min:g} to {p.max:g}"
    elif p.min is not None:
        text += f" of at least {p.min:g}"
    elif p.above is not None:
        text += f" above {p.above:g}"
    elif p.max is not None:
        text += f" of at most {p.max:g}"
    return f"{text}, or none" if p.optional else text


def operator_page(declaration: Declaration) -> str:
    """An operator with its signature, parameters, tasks and paper."""
    role = ROLE_NAMES.get(declaration.role, declaration.role)
    made = f"  # {declaration.signature}" if declaration.signature else ""
    lines = [
        fence(f"{signature_of(declaration)}{made}"),
        f"*{role}*",
        "",
        cleandoc(declaration.doc),
    ]
    if declaration.params:
        lines += ["", *(f"- {param_line(p)}" for p in declaration.params)]
    if declaration.tasks:
        lines += ["", f"trains for {', '.join(declaration.tasks)}"]
    if declaration.attributes:
        names = ", ".join(f"`{a.name}` ({a.kind})" for a in declaration.attributes)
        lines += ["", f"attributes: {names}"]
    if declaration.paper:
        lines += ["", f"paper: {declaration.paper}"]
    if declaration.example:
        lines += ["", fence(declaration.example)]
    return "\n".join(lines)


def param_page(p: Param, owner: Declaration) -> str:
    """One parameter of an operator, or one field of a record."""
    of = owner.name if owner.role == owner.name else f"{owner.role} {owner.name}"
    return "\n".join([fence(f"{p.name}{default_of(p)}"), f"*of {of}*", "", param_line(p)])


def param_line(p: Param) -> str:
    doc = f": {p.doc}" if p.doc else ""
    inherited = f"; inherits `{p.inherit}`" if p.inherit is not None else ""
    needed = "; must be given" if p.required else ""
    return f"`{p.name}`{doc} ({kind_of(p)}{inherited}{needed})"


def name_page(target: Target) -> str:
    """A declared name: how it is declared, what its author says, and in which file."""
    document = target.scope.document
    if target.item is None:
        return f"all names of `{os.path.basename(document.path)}`"
    lines = [fence(target.item.span.text)]
    said = documentation(document, target.item)
    if said:
        lines += ["", said]
    return "\n".join([*lines, "", f"*{target.kind} of {os.path.basename(document.path)}*"])


def documentation(document: Document, item: tree.Part) -> str:
    """The `##` comments directly before a declaration."""
    said: list[str] = []
    edge = item.span.start
    for comment in reversed(comments(document)):
        if comment.end > edge:
            continue
        text = document.text
        behind = text[text.rfind("\n", 0, comment.start) + 1 : comment.start].strip()
        between = text[comment.end : edge]
        if (
            behind
            or between.strip()
            or between.count("\n") > 1
            or not comment.text.startswith("##")
        ):
            break
        said.append(comment.text.lstrip("#").strip())
        edge = comment.start
    return "\n".join(reversed(said))


def word_page(word: str) -> str | None:
    """A word of the language."""
    said = WORDS.get(word)
    return None if said is None else f"`{word}` {said}"


def fence(text: str) -> str:
    return f"```lego\n{text}\n```"
