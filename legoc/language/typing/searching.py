"""Points that a search is to complete: whether any of their values makes a model, and what the spec
says of them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from legoc.language.diagnosing.diagnostics import Diagnostic, Label, SpecError
from legoc.language.diagnosing.document import Span
from legoc.language.ir.digest import digest
from legoc.language.ir.spec import Prompt, Search, Spec
from legoc.language.resolving.points import Point, Settings
from legoc.language.resolving.ranges import BASES
from legoc.language.resolving.settle import ends, settle, witnesses


# What is wrong with a value itself. No other value of the range makes good for that.
OWN = ("E0303", "E0305", "E0306")
Lower = Callable[[Point], Any]
# A setting of an operator in a list is named behind the list again: `metrics.0.metrics.k`.
ITEM = re.compile(r"(\w+)\.(\d+)\.\1\.")


def choose_witness(point: Point, found: Any, lower: Lower) -> Any:
    """What a point with ranges comes to: `found`, unless only a rule between settings stands
    against the values it was judged by, and others of the same ranges are sound."""
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if not point.ranges or not errors or any(error.code in OWN for error in errors):
        return found
    for values in witnesses(point):
        other = lower(settle(point, values))
        if other.spec is not None:
            return replace(other, spec=replace(other.spec, name=point.name))
    return found


def with_search(spec: Spec, point: Point) -> Spec:
    """The spec of a point, with what a search is to choose of it. One with a range has a digest of
    its own: it is none of the models it may become."""
    if not point.searched:
        return spec
    found: dict[str, Search] = {}
    for pick in point.searched:
        if pick.range is None:
            found[pick.key] = Search(text=pick.text, span=pick.span)
            continue
        told = ends(pick.range)
        found[pick.key] = Search(
            text=pick.text,
            low=in_base(told.low, told.unit),
            high=in_base(told.high, told.unit),
            log=told.log,
            at=places(spec, point, pick.span),
            span=pick.span,
        )
    # Most checks print no IR.
    from legoc.language.ir.form import write_search

    open = write_search(found)
    keys = spec.keys
    if open and keys.spec:
        keys = replace(keys, spec=digest({"spec": keys.spec, "search": open}))
    return replace(spec, search=found, keys=keys)


def in_base(value: int | float, unit: str) -> int | float:
    """A number in the unit of the IR: shares from 0 to 1, seconds, bytes."""
    if not unit:
        return value
    return value / 100 if unit == "%" else value * BASES[unit][1]


def places(spec: Spec, point: Point, span: Span | None) -> tuple[str, ...]:
    """The IR paths that a range is written for; of an operator that a number stands for, its
    parameter."""
    found = [ITEM.sub(r"\1.\2.", path) for path, place in spec.origin.items() if place == span]
    found += sizes(spec, point, span)
    return tuple(path for path in found if not any(other.startswith(f"{path}.") for other in found))


def sizes(spec: Spec, point: Point, span: Span | None) -> Iterator[str]:
    """Those of lengths and bins of attributes."""
    for name, parts in (("content", spec.data.content), ("user", spec.data.user)):
        field = point.data.fields.get(name)
        written = field.given.value if field is not None else None
        if not isinstance(written, tuple):
            continue
        for place, (part, each) in enumerate(zip(parts, written, strict=False)):
            if isinstance(part, Prompt) or not isinstance(each.value, Settings):
                continue
            given = (*each.value.positional, *(arg.given for arg in each.value.args.values()))
            if any(one.span == span for one in given):
                yield f"data.{name}.{place}.{'max' if part.kind == 'text' else 'bins'}"


def verify_settled(specs: Iterable[Spec], file: str = "FILE") -> None:
    """E0906 for each axis of some specs that only a search chooses."""
    found: dict[object, Diagnostic] = {}
    for spec in specs:
        for key, each in spec.search.items():
            found.setdefault((key, each.span), open_axis(key, each, file))
    if found:
        raise SpecError(*found.values())


def open_axis(key: str, search: Search, file: str) -> Diagnostic:
    """E0906: what a search chooses, where runs are wanted."""
    labels: tuple[Label, ...] = ()
    if search.span is not None:
        labels = (Label(span=search.span, text="a search chooses here", primary=True),)
    if search.low is None:
        text = search.text if search.span is None else search.span.text.strip("{} \n")
        values = " ".join(text.split()).rstrip(",")
    else:
        low, _, high = search.text.removesuffix(" log").partition("..")
        values = f"{low}, {high}"
    return Diagnostic(
        code="E0906",
        message=f"`{key}` has no value yet: a search is to find one",
        labels=labels,
        help=(f"search with `legoc tune {file}`, or write values: `{key} in [{values}]`",),
    )
