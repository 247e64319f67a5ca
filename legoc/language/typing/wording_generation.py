"""What is said of generations: columns that are not there, settings that fit nothing (E092x)."""

from collections.abc import Sequence

from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.syntax.names import written


def no_data(span: Span) -> Diagnostic:
    return refusal(
        "E0304", span, "`generate` needs `of`", "`of` is not given",
        "add `of = NAME`, the name of a declared data set",
    )  # fmt: skip


def not_data(span: Span) -> Diagnostic:
    return refusal(
        "E0303", span, "`of` must be the name of a declared data set", "none is named here",
        "declare it, `data news { source = ... }`, and write `of = news`",
    )  # fmt: skip


def no_column(name: str, span: Span, of: str, known: Sequence[str]) -> Diagnostic:
    """of: `items` or `users`."""
    meant = nearest(name, known)
    hint = f"did you mean `{meant}`? " if meant else ""
    listed = ", ".join(map(written, known)) or "none"
    return refusal(
        "E0921", span, f"the {of} have no attribute `{name}` to write from",
        f"not an attribute of the {of}", f"{hint}their attributes: {listed}",
    )  # fmt: skip


def nothing_read(task: Declaration, span: Span) -> Diagnostic:
    return refusal(
        "E0921", span, f"`{task.name}` reads no attribute", "an empty list",
        "name the attributes that the model is shown: `from=[title]`",
    )  # fmt: skip


def not_new(name: str, span: Span, of: str) -> Diagnostic:
    return refusal(
        "E0922", span, f"the {of} have `{name}` already", "what is written needs a name of its own",
        f"write another name: `to=new{name}`",
    )  # fmt: skip


def not_writable(name: str, span: Span, fits: Sequence[str]) -> Diagnostic:
    return refusal(
        "E0923", span, f"`Invent` writes no `{name}`",
        "an invented item has what the items have, and a model was asked for",
        f"of these items it can write {listing(fits, quote='`')}"
        if fits
        else "the items have no `title`, which every invented item needs",
    )  # fmt: skip


def untitled(span: Span) -> Diagnostic:
    return refusal(
        "E0923", span, "an invented item needs a `title`", "no `title` among these",
        "write `write=[title]`, or more beside it",
    )  # fmt: skip


def empty_topic(span: Span) -> Diagnostic:
    return refusal(
        "E0923", span, "a topic is a text", "an empty one", 'name each: `topics=["sports", "news"]`'
    )


def unknown_field(name: str, path: str, span: Span, known: Sequence[str]) -> Diagnostic:
    meant = nearest(name, known)
    hint = f"did you mean `{{{meant}}}`? " if meant else ""
    return refusal(
        "E0924", span, f"the prompt has a field `{{{name}}}` that nothing fills",
        f"in {path}", f"{hint}the fields are {', '.join(f'{{{each}}}' for each in known)}",
    )  # fmt: skip


def no_field(path: str, span: Span, known: Sequence[str]) -> Diagnostic:
    return refusal(
        "E0924", span, "the prompt has no field, so all questions would be the same",
        f"in {path}", f"put in what differs: {', '.join(f'{{{each}}}' for each in known)}",
    )  # fmt: skip


def no_address(span: Span, base: str) -> Diagnostic:
    return refusal(
        "E0925", span, f"`{base}` is no address of a server", "where the model answers",
        'write it with its scheme: `base="http://127.0.0.1:8000/v1"`',
    )  # fmt: skip


def secret_in_address(span: Span) -> Diagnostic:
    return refusal(
        "E0925", span, "an address with a name or a key in it would be stored beside runs",
        "stands before the `@` or behind the `?`",
        "leave it out, and put the key into the variable that `key` names",
    )  # fmt: skip


def no_variable(span: Span) -> Diagnostic:
    """The value may be a key, so it is not shown again."""
    return refusal(
        "E0925", span, "`key` names a variable of the environment, and is not the key itself",
        "capitals, digits and `_` make such a name",
        'write `key="LEGOC_API_KEY"`, and set that variable where the command runs',
    )  # fmt: skip


def not_written(name: str, file: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="W104",
        severity="warning",
        brief=True,
        message=f"`{name}` is not generated yet; `legoc generate {file}` does it",
        labels=refusal("W104", span, "", "not there yet").labels,
    )
