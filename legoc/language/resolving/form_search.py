"""The `search` of a spec in JSON or YAML: ranges put into the places they are for."""

import re
from collections import abc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from legoc.language.diagnosing.diagnostics import Diagnostic, Label, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.node_values import Values, head
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.ranges import BASES
from legoc.language.resolving.template import (
    Called,
    Entry,
    Leaf,
    Listed,
    PipelineTemplate,
    RecordTemplate,
    Sought,
    Template,
)
from legoc.language.syntax.nodes import Mapping, Node, Pair, Scalar
from legoc.language.syntax.nodes import Sequence as Elements


KEYS = ("from", "to", "log", "at")
FORM = "write `{from: LOW, to: HIGH, log: false, at: [train.lr]}`"
# As axes are named in a point: what stands between them there is no part of one.
KEY = re.compile(r"[^\[\],=\s]+")
Entries: TypeAlias = abc.Mapping[str, Entry]
Part: TypeAlias = PipelineTemplate | RecordTemplate


class Lost(Exception):
    """A place that a spec does not have, or that holds no number."""


def put_search(node: Node | None, values: Values, parts: dict[str, Part]) -> bool:
    """Put the ranges of `search` into the parts of a spec, by kind; whether all of them fit."""
    if node is None:
        return True
    if not isinstance(node, Mapping):
        values.report(values.wrong(node, "`search` is a mapping of ranges", FORM))
        return False
    return all([put_range(pair, values, parts) for pair in node.pairs])


def put_range(pair: Pair, values: Values, parts: dict[str, Part]) -> bool:
    found = pair.value
    low, high, log, at = (
        (found.get(key) for key in KEYS) if isinstance(found, Mapping) else (None,) * 4
    )
    ends = [number(low), number(high)]
    if (
        not isinstance(found, Mapping)
        or not isinstance(at, Elements)
        or not at.items
        or KEY.fullmatch(pair.key) is None
        or not isinstance(log, Scalar)
        or not isinstance(log.value, bool)
        or low is None
        or high is None
        or None in ends
    ):
        values.report(values.wrong(found, f"`{pair.key}` is a range", FORM))
        return False
    if not values.known_keys(found, KEYS, f"`{pair.key}`"):
        return False
    wrong = judge(pair, ends[0] or 0, ends[1] or 0, low.span, log=log.value)
    if wrong is not None:
        values.report(wrong)
        return False
    identity = object()

    def made(old: Leaf) -> Sought:
        first, last = (Given(in_unit_of(old, number(end) or 0), end.span) for end in (low, high))
        return Sought(first, last, bool(log.value), found.span, identity, pair.key)

    for place in at.items:
        path = place.value if isinstance(place, Scalar) else None
        kind, _, rest = path.partition(".") if isinstance(path, str) else ("", "", "")
        try:
            parts[kind] = put_into(parts[kind], rest.split("."), made)
        except (Lost, KeyError):
            values.report(
                refusal(
                    "E0902", head(place.span), "a range is for a number of the spec",
                    "no number stands there", "name its place: `train.lr`, `model.content.hidden`",
                )
            )  # fmt: skip
            return False
    return True


def number(node: Node | None) -> int | float | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def judge(
    pair: Pair, low: int | float, high: int | float, span: Span, *, log: bool
) -> Diagnostic | None:
    """E0308 as of a range in the language."""
    if low >= high:
        return refusal(
            "E0308", pair.key_span, f"the range of `{pair.key}` holds nothing to choose from",
            f"from {low} to {high}", "begin below the end",
        )  # fmt: skip
    if log and low <= 0:
        return Diagnostic(
            code="E0308",
            message="a range on a scale of logarithms lies above zero",
            labels=(Label(span=span, text=f"`{low}` has no logarithm", primary=True),),
            help=("begin at the least value that makes sense, or write `log: false`",),
        )
    return None


def in_unit_of(old: Leaf, value: int | float) -> int | float | Measure:
    """A number of the IR in the unit in which its place is read."""
    there = old.given.value
    if not isinstance(there, Measure):
        return value
    # A hundredth is no binary fraction: 0.07 is 7 %.
    scaled = round(value / BASES[there.unit][1], 12)
    return Measure(int(scaled) if scaled == int(scaled) else scaled, there.unit)


def put_into(part: Part, path: Sequence[str], made: Callable[[Leaf], Sought]) -> Part:
    """A part of a spec with a range at a path."""
    name, *rest = path
    if isinstance(part, PipelineTemplate):
        if name not in [stage.role for stage in part.stages]:
            raise Lost
        stages = tuple(
            replace(stage, template=put_below(stage.template, rest, made))
            if stage.role == name
            else stage
            for stage in part.stages
        )
        return replace(part, stages=stages)
    return replace(part, fields=put_entry(part.fields, path, made))


def put_entry(
    entries: Entries, path: Sequence[str], made: Callable[[Leaf], Sought]
) -> dict[str, Entry]:
    name, *rest = path
    known = dict(entries)
    if name not in known:
        raise Lost
    entry = known[name]
    return {**known, name: replace(entry, template=put_below(entry.template, rest, made))}


def put_below(template: Template, path: Sequence[str], made: Callable[[Leaf], Sought]) -> Template:
    if not path:
        if not isinstance(template, Leaf):
            raise Lost
        return made(template)
    if isinstance(template, Called):
        return replace(template, args=put_entry(template.args, path, made))
    if isinstance(template, Listed) and path[0].isdecimal() and int(path[0]) < len(template.items):
        place = int(path[0])
        items = [*template.items]
        items[place] = put_below(items[place], path[1:], made)
        return replace(template, items=tuple(items))
    raise Lost


def without_ranges(name: str, node: Node | None) -> str:
    """The name of a spec without what its ranges say in it: its points get that again."""
    for key in [pair.key for pair in node.pairs] if isinstance(node, Mapping) else ():
        name = re.sub(rf"(?<=[\[ ]){re.escape(key)}=[^,\]]*(?:, |(?=\]))", "", name)
    return re.sub(r", (?=\])", "", name).removesuffix("[]")
