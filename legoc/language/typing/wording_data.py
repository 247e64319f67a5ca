"""What is said about data and training records: one function per message."""

import json
from collections.abc import Sequence
from dataclasses import replace

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.resolving.points import Given
from legoc.language.resolving.wording_operators import primary, respell
from legoc.language.syntax.names import written, written_call
from legoc.language.typing.wording_params import describe, quoted


KIND_NAMES = {"text": "text", "category": "a category", "number": "a number"}


def no_attribute(name: str, span: Span, source: Declaration, names: Sequence[str]) -> Diagnostic:
    meant = nearest(name, names)
    shown = ", ".join(written_call(each, ()) for each in names)
    known = f"attributes: {shown}" if names else "it declares no attributes"
    # The name alone, where its arguments stand behind it.
    end = span.start + len(name) if not span.text.startswith('"') else span.end
    return Diagnostic(
        code="E0601",
        message=f"{source.name} has no attribute `{name}`",
        labels=(primary(span, "not an attribute of this source"),),
        help=(f"did you mean `{written_call(meant, ())}`? {known}" if meant else known,),
        fix=None
        if meant is None
        else respell(Span(span.document, span.start, end), name, written(meant)),
    )


def notation(attribute: Attribute) -> str:
    """An attribute with its length, as one writes it."""
    return written_call(attribute.name, (str(attribute.length),))


def attribute_twice(name: str, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        code="E0205",
        message=f"attribute `{name}` is given twice",
        labels=(primary(second, "and again here"), Label(span=first, text="first here")),
        help=("keep one of the two",),
    )


def named_as_mask(name: str, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        code="E0602",
        message=f"`{name}_mask` is the mask of `{name}`, and no attribute beside it",
        labels=(
            primary(second, f"the graph that reads it has an input `{name}_mask` already"),
            Label(span=first, text="brought by this attribute"),
        ),
        help=(f"leave `{name}_mask` out, or give its column another name",),
    )


def named_as_tokens(name: str, place: Span, operator: str, content: Span | None) -> Diagnostic:
    labels = [primary(place, "reads all attributes as one input `tokens` with `tokens_mask`")]
    if content is not None:
        labels.append(Label(span=content, text=f"one of these is `{name}`"))
    return Diagnostic(
        code="E0602",
        message=f"an attribute cannot be called `{name}` beside `{operator}`",
        labels=tuple(labels),
        help=(f"leave `{name}` out of `content`, or give its column another name",),
    )


def not_an_attribute(given: Given, prompts: bool) -> Diagnostic:
    fits = "an attribute such as title(30), or text in quotes" if prompts else "an attribute"
    return Diagnostic(
        code="E0303",
        message=f"{quoted(given.span)} is not an attribute",
        labels=(primary(given.span, describe(given)),),
        help=(f"write {fits}",),
    )


def looks_like_text(name: str, words: int, span: Span, *, told: bool) -> Diagnostic:
    """words: of most of its values."""
    length = max(words, 2)
    other = f', or say that it is none: `categories=["{name}"]`' if told else ""
    return Diagnostic(
        code="E0610",
        message=f"`{name}` looks like text: nearly every record has a value of its own",
        labels=(primary(span, "without a length it would be a category"),),
        help=(f"write `{written_call(name, (str(length),))}`{other}",),
    )


def odd_numbers(name: str, odd: Sequence[str], span: Span, *, told: bool) -> Diagnostic:
    """odd: values that are no numbers."""
    shown = ", ".join(f"`{value[:40]}`" for value in odd)
    return Diagnostic(
        code="E0610",
        message=f"`{name}` holds numbers, and values that are none: {shown}",
        labels=(primary(span, "a number or a category?"),),
        help=(
            f'say which: `numbers=["{name}"]` leaves these empty, `categories=["{name}"]` keeps '
            "every value as it is"
            if told
            else "mend these values in the table",
        ),
    )


def looks_like_lists(name: str, sign: str, span: Span, *, told: bool, known: bool) -> Diagnostic:
    """sign: what stands between the values. known: it is the separator of the source."""
    many, one = f'`separator="{sign}"`', f'`texts=["{name}"]` or `categories=["{name}"]`'
    help = f"write {many} in the source if they are, else {one}"
    if known:
        help = f'write `categories=["{name}"]` in the source if they are, else `texts=["{name}"]`'
    elif not told:
        help = "write the column as lists, in JSON lines or Parquet"
    return Diagnostic(
        code="E0610",
        message=f"`{name}` looks like lists: `{sign}` stands between values in some records",
        labels=(primary(span, "one value or several?"),),
        help=(help,),
    )


def of_tables(problem: Diagnostic, span: Span) -> Diagnostic:
    """What is wrong with the tables of a source, told where the source is written."""
    return replace(problem, labels=(primary(span, "its tables"),))


def prompt_names_attribute(name: str, span: Span) -> Diagnostic:
    """W103: a text that says the name of an attribute, which nothing then reads."""
    text = written_call(name, ())
    return Diagnostic(
        code="W103",
        severity="warning",
        message=f"`{span.text}` is text for the prompt, not the attribute `{name}`",
        labels=(primary(span, "every item has this same text"),),
        help=(f"write `{text}` for the attribute, or `{json.dumps(name + ': ')}` before it",),
        fix=Fix(grade="ask", title=f"write `{text}`", span=span, replacement=text),
    )


def takes_no_length(attribute: Attribute, span: Span) -> Diagnostic:
    return Diagnostic(
        code="E0602",
        message=f"`{attribute.name}` takes no length",
        labels=(primary(span, f"`{attribute.name}` is {KIND_NAMES[attribute.kind]}"),),
        help=(f"write `{written_call(attribute.name, ())}`",),
    )


def one_length(attribute: Attribute, label: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="E0602",
        message=f"`{attribute.name}` takes one number, `{label}`",
        labels=(primary(span, f"`{attribute.name}` is {KIND_NAMES[attribute.kind]}"),),
        help=(f"write `{notation(attribute)}`",),
    )


def bad_length(attribute: Attribute, span: Span, least: int) -> Diagnostic:
    which, what = {
        "text": ("the length", "tokens kept of the text"),
        "number": ("the number of bins", "quantile bins"),
        "category": ("the length", "values kept"),
    }[attribute.kind]
    return Diagnostic(
        code="E0602",
        message=f"{which} of `{attribute.name}` must be a whole number, at least {least}",
        labels=(primary(span, f"{quoted(span)} is not a number of {what}"),),
        help=(f"write `{notation(attribute)}`",),
    )


def split_not_offered(
    name: str, span: Span, source: Declaration, general: Sequence[str]
) -> Diagnostic:
    able = [*source.splits, *general]
    return Diagnostic(
        code="E0603",
        message=f"{source.name} has no `{name}` split",
        labels=(primary(span, f"not offered by {source.name}"),),
        help=(
            *(how_to_publish(source) if name == "publisher" else ()),
            f"splits of {source.name}: {', '.join(able)}",
        ),
    )


def how_to_publish(source: Declaration) -> tuple[str, ...]:
    """What gives a source the publisher's split, where something does."""
    setting = source.param(str(source.facts.get("parts")))
    if setting is not None:
        value = setting.kind.values[0] if setting.kind.values else "true"
        return (f"`{source.name}(..., {setting.name}={value})` has it",)
    match source.facts.get("headers"):
        case "tables":
            return ("a column `split` (train, valid, test) in `interactions` makes it possible",)
        case "processed":
            return ("a folder that holds the files of two parts or more has it",)
        case _:
            return ()


def no_impressions(span: Span, source: Declaration) -> Diagnostic:
    return Diagnostic(
        code="E0604",
        message=f"{source.name} has no impressions to group by",
        labels=(primary(span, "this grouping needs impressions"),),
        help=("write `group = user`, or leave `group` out",),
    )


def prompt_unread(operator: str, place: Span, content: Span | None) -> Diagnostic:
    labels = [primary(place, "reads attributes, not the text between them")]
    if content is not None:
        labels.append(Label(span=content, text="this list holds prompt text"))
    return Diagnostic(
        code="E0605",
        message=f"`{operator}` cannot read prompt text",
        labels=tuple(labels),
        help=("drop the quoted text from `content`, or use a language model",),
    )


def nothing_to_read(operator: str, place: Span, content: Span | None) -> Diagnostic:
    labels = [primary(place, "reads the tokens of an item")]
    if content is not None:
        labels.append(Label(span=content, text="no attribute stands here"))
    return Diagnostic(
        code="E0605",
        message=f"`{operator}` has no attribute to read",
        labels=tuple(labels),
        help=("name at least one attribute in `content`, such as title(30)",),
    )


def nothing_of_kind(
    operator: str,
    place: Span,
    content: Span | None,
    kinds: Sequence[str],
    wanted: object,
    known: Sequence[str],
) -> Diagnostic:
    """E0605 of a predictor that stands alone: no attribute of the kinds it reads, or not the one it
    names."""
    kind = " or ".join(kinds)
    if known:
        message = f"`{operator}` reads the {kind} `{wanted}`, which `content` does not hold"
        help = f"name one of {', '.join(f'`{name}`' for name in known)}"
    else:
        message = f"`{operator}` has no {kind} to read"
        help = f"name a {kind} of the source in `content`"
    labels = [primary(place, f"reads a {kind} of an item")]
    if content is not None:
        labels.append(Label(span=content, text="not here"))
    return Diagnostic(code="E0605", message=message, labels=tuple(labels), help=(help,))


def no_user_vector(operator: str, place: Span, user: Span | None, clicks: bool) -> Diagnostic:
    what = "passes the clicks through" if clicks else "encodes items and users alike"
    labels = [primary(place, what)]
    if user is not None:
        labels.append(Label(span=user, text="these attributes would join a user vector"))
    able = "a behavior that makes one, such as `behavior Additive`"
    return Diagnostic(
        code="E0607",
        message=f"`{operator}` makes no user vector that attributes of users could join",
        labels=tuple(labels),
        help=(f"use {able if clicks else 'a `content` stage before it'}, or drop `user`",),
    )


def too_long(operator: str, place: Span, content: Span | None, total: int, most: int) -> Diagnostic:
    labels = [primary(place, f"reads at most {most} tokens")]
    if content is not None:
        labels.append(Label(span=content, text=f"these are up to {total} tokens"))
    return Diagnostic(
        code="E0605",
        message=f"`{operator}` cannot read {total} tokens per item",
        labels=tuple(labels),
        help=("shorten the attributes, as in title(30)",),
    )


def no_metrics(span: Span) -> Diagnostic:
    return Diagnostic(
        code="E0305",
        message="`metrics` must name at least one metric",
        labels=(primary(span, "an empty list"),),
        help=("leave `metrics` out for the usual four, or write `metrics = [GAUC]`",),
    )


def monitor_missing(
    monitor: str, place: Span, metrics: Span | None, names: Sequence[str]
) -> Diagnostic:
    labels = [primary(place, "not among the metrics")]
    if metrics is not None:
        labels.append(Label(span=metrics, text="the metrics"))
    return Diagnostic(
        code="E0502",
        message=f"`monitor` is {monitor}, which is not measured",
        labels=tuple(labels),
        help=(f"add it to `metrics`, or monitor {listing(names, quote='`', joint='or')}",),
    )
