"""What each phase makes of a file, as text for `legoc debug`."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from legoc.language.checking import Checked
from legoc.language.diagnosing.diagnostics import SpecError
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.points import Given, Measure, Range, Record, Settings
from legoc.language.resolving.resolve import OTHER_FORMS
from legoc.language.syntax import tree
from legoc.language.syntax.grammar import parser
from legoc.language.syntax.parse import parse


PLACES = ("span", "head", "key_span")


def show_tokens(document: Document) -> Iterator[str]:
    """A line per token: place, terminal, text."""
    import lark

    if document.path.endswith(OTHER_FORMS):
        yield from show_tree(document)
        return
    try:
        for token in parser().lex(document.text):
            line, column = document.position(token.start_pos or 0)
            yield f"{line}:{column}\t{token.type}\t{token}"
    except lark.exceptions.UnexpectedInput:
        raise SpecError(*parse(document).diagnostics) from None


def show_tree(document: Document) -> Iterator[str]:
    """The syntax tree, a part per line, each below what it belongs to."""
    if document.path.endswith(OTHER_FORMS):
        from legoc.language.resolving.spec_form import read_nodes
        from legoc.language.syntax.nodes import Unreadable

        try:
            yield from outline("", read_nodes(document), 0)
        except Unreadable as error:
            raise SpecError(error.diagnostic) from None
        return
    parsed = parse(document)
    wrong = [d for d in parsed.diagnostics if d.severity == "error"]
    if wrong:
        raise SpecError(*wrong)
    yield from outline("", parsed.tree, 0)


def outline(name: str, part: Any, depth: int) -> Iterator[str]:
    """A part with its place and plain fields, its parts below it."""
    if isinstance(part, tuple):
        for each in part:
            yield from outline(name, each, depth)
        return
    inner = [(f.name, getattr(part, f.name)) for f in fields(part) if f.name not in PLACES]
    plain = {n: v for n, v in inner if v is None or isinstance(v, bool | int | float | str)}
    shown = "".join(
        f" {key}={json.dumps(value, ensure_ascii=False)}"
        for key, value in plain.items()
        if value is not None or not isinstance(part, tree.Part)
    )
    head = f"{name}: " if name else ""
    line, column = part.span.position
    yield f"{'  ' * depth}{head}{type(part).__name__}{shown}    {line}:{column}"
    for key, value in inner:
        if key not in plain and not isinstance(value, Span):
            yield from outline(key, value, depth + 1)


def show_points(checked: Checked) -> Iterator[str]:
    """The points as they leave expansion: names resolved, axes chosen, nothing typed."""
    for point in checked.points:
        yield point.name
        for role, _, settings in point.model.stages:
            yield f"  {role} {write(settings)}"
        for record in (point.data, point.train, point.export):
            if record is not None:
                yield from show_record(record)


def show_record(record: Record) -> Iterator[str]:
    yield f"  {record.kind} {record.name}".rstrip()
    for name, argument in record.fields.items():
        sign = "in" if isinstance(argument.given.value, Range) else "="
        yield f"    {name} {sign} {write(argument.given)}"


def write(value: Given | Settings) -> str:
    """A value as it was given, before it is judged."""
    from legoc.language.resolving.show import show

    if isinstance(value, Given) and isinstance(value.value, Measure):
        return f"{value.value.number}{value.value.unit}"
    return show(value)


def show_plan(checked: Checked) -> Iterator[str]:
    """Binding times, caches and graphs of every point."""
    from legoc.language.ir.plan import plan

    for spec in checked.specs:
        made = plan(spec)
        yield spec.name
        yield f"  reads items as {made.layout}; a user is {made.user}; width {made.width}"
        for stage in made.stages:
            frozen = ", frozen prefix" if stage.frozen else ""
            yield f"  {stage.role} {stage.op}: {stage.type}, bound to the {stage.binding}{frozen}"
        if made.context:
            yield f"  context: Context[{made.context}], bound to the pair"
        for cache in made.caches:
            when = "training" if cache.training else "evaluation"
            what = f"{cache.name}[{write_dims(cache.dims)}] per {cache.per}"
            yield f"  cache {what}, {when}: {cache.why}"
        for graph in made.graphs:
            yield f"  graph {graph.name}"
            for word, ports in (("in", graph.inputs), ("out", graph.outputs)):
                for port in ports:
                    yield f"    {word:<3} {port.name} {port.dtype}[{write_dims(port.dims)}]"
        for note in made.notes:
            yield f"  note: {note}"


def write_dims(dims: tuple[int | str, ...]) -> str:
    return ", ".join(map(str, dims))
