"""Ranges: whole numbers from one to another are an axis, all others are for a search."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label, refusal
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.template import MOST, Leaf, Sought, Sweep, Template
from legoc.language.syntax import tree


Bound: TypeAlias = tree.Number | tree.Quantity
# What a range counts in: of these a fraction means something.
FRACTIONS = ("%", "s", "min", "h")
BASES = {
    "%": ("a share", 0.01), "s": ("a duration", 1), "min": ("a duration", 60),
    "h": ("a duration", 3600), "k": ("a count", 1000), "M": ("a count", 1_000_000),
    "KiB": ("a size", 1024), "MiB": ("a size", 1024**2), "GiB": ("a size", 1024**3),
    "": ("a number", 1),
}  # fmt: skip


def read_range(
    found: tree.Range, identity: object, report: Callable[[Diagnostic], None], param: str | None
) -> Template:
    """The template of a range; of one that holds nothing, its lower end."""
    low = Leaf(read_bound(found.low))
    wrong = judge(found)
    if wrong is not None:
        report(wrong)
        return low
    if is_axis(found):
        options = tuple(
            Leaf(Given(value, found.span, shown=str(value))) for value in whole_values(found)
        )
        return Sweep(options, found.span, identity, param)
    return Sought(low.given, read_bound(found.high), found.log, found.span, identity, param)


def read_bound(bound: Bound) -> Given:
    if isinstance(bound, tree.Quantity):
        return Given(Measure(bound.number, bound.unit), bound.span)
    return Given(bound.value, bound.span)


def is_axis(found: tree.Range) -> bool:
    """Whether a range names each of its values."""
    plain = isinstance(found.low, tree.Number) and isinstance(found.high, tree.Number)
    return plain and not found.log and is_whole(found)


def is_whole(found: tree.Range) -> bool:
    return all(
        isinstance(amount(bound), int) and unit(bound) not in FRACTIONS
        for bound in (found.low, found.high)
    )


def whole_values(found: tree.Range) -> Iterator[int]:
    """The whole numbers of a range, ends included."""
    yield from range(int(amount(found.low)), int(amount(found.high)) + 1)


def amount(bound: Bound) -> int | float:
    return bound.number if isinstance(bound, tree.Quantity) else bound.value


def unit(bound: Bound) -> str:
    return bound.unit if isinstance(bound, tree.Quantity) else ""


def judge(found: tree.Range) -> Diagnostic | None:
    """What is wrong with a range whatever it is a range of: E0308, or E0703 for one that names too
    many values."""
    low, high = found.low, found.high
    (one, scale), (other, factor) = BASES[unit(low)], BASES[unit(high)]
    if one != other:
        return refusal(
            "E0308", found.span, "a range goes from one value to another of its kind",
            f"`{low.span.text}` is {one}, `{high.span.text}` {other}",
            "give both ends the same unit",
        )  # fmt: skip
    first, last = amount(low) * scale, amount(high) * factor
    if first > last:
        turned = f"{high.span.text}..{low.span.text}{' log' if found.log else ''}"
        return refusal(
            "E0308", found.span, f"the range `{text(found)}` holds nothing",
            "begins above its end", f"write `{turned}`",
            fix=Fix(
                grade="ask", title=f"write `{turned}`", span=found.span, replacement=turned
            ),
        )  # fmt: skip
    if first == last:
        return refusal(
            "E0308", found.span, f"the range `{text(found)}` holds one value",
            "both ends are the same", f"write `= {low.span.text}`",
        )  # fmt: skip
    if found.log and first <= 0:
        return Diagnostic(
            code="E0308",
            message="a range on a scale of logarithms lies above zero",
            labels=(
                Label(span=low.span, text=f"`{low.span.text}` has no logarithm", primary=True),
            ),
            help=("begin at the least value that makes sense, or leave `log` out",),
        )
    if is_axis(found) and last - first >= MOST:
        return refusal(
            "E0703", found.span,
            f"the range `{text(found)}` names {int(last - first) + 1:,} values",
            f"more than {MOST:,}", "sweep fewer values, or write `log` behind it and search",
        )  # fmt: skip
    return None


def text(found: tree.Range) -> str:
    return "".join(found.span.text.split()).replace("log", " log")
