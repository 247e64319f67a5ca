"""What is said about exports: one function per message."""

import math
from collections.abc import Sequence
from dataclasses import fields

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing, nearest
from legoc.language.ir.spec import Spec
from legoc.language.resolving.wording_operators import primary


def opset_unknown(place: Span, opset: int, latest: int) -> Diagnostic:
    return Diagnostic(
        code="E0801",
        message=f"no engine reads the ONNX operator set {opset}",
        labels=(primary(place, f"the latest is {latest}"),),
        help=("write `opset = 20`, or leave `opset` out",),
    )


def parity_out_of_reach(place: Span, resolution: float) -> Diagnostic:
    return Diagnostic(
        code="E0802",
        message="`parity` is finer than the numbers of float32",
        labels=(primary(place, f"neighbours near 1 are {short(resolution)} apart"),),
        notes=("sound graphs differ from torch by up to 5e-6: sums are rounded in another order",),
        help=("write `parity = 1e-5` or more, or leave it out for 1e-4",),
    )


def parity_blind(place: Span) -> Diagnostic:
    return Diagnostic(
        code="E0803",
        message="`parity` lets every graph pass",
        labels=(primary(place, "a graph that gives nothing but zeros differs by 1 at most"),),
        help=("write `parity = 1e-4`, or leave `parity` out",),
    )


def budget_too_small(
    operator: str, place: Span, layers: Span, least: int, budget: int, dense: Sequence[str],
    precision: str,
) -> Diagnostic:  # fmt: skip
    ways = [f"smaller {listing(dense, quote='`')}", f"a budget above {write_size(least)}"]
    ways += {"fp32": ["another `precision`"], "fp16": ["`precision = int8`"]}.get(precision, [])
    return Diagnostic(
        code="E0804",
        message=f"`predict {operator}` cannot stay within its budget",
        labels=(
            primary(place, f"{budget:,} bytes"),
            Label(span=layers, text=f"its layers alone are {least:,} bytes in {precision}"),
        ),
        help=(f"choose {listing(ways, joint='or')}",),
    )


def precision_given(place: Span, precision: Span | None, given: str) -> Diagnostic:
    labels = [primary(place, "chooses a precision for each graph")]
    if precision is not None:
        labels.append(Label(span=precision, text=f"says {given} for all of them"))
    return Diagnostic(
        code="E0806",
        message="the precision is given, and `tolerate` is to choose it",
        labels=tuple(labels),
        help=("leave out one of the two: `precision` or `tolerate`",),
    )


def no_value_per_group(place: Span, metric: str, others: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        code="E0807",
        message=f"`{metric}` has no value per group, so nothing is sure of what it loses",
        labels=(primary(place, "is of all rows together"),),
        help=(f"name one of {listing(others, joint='or')}",),
    )


def no_mean_user(place: Span, predictor: Span, name: str) -> Diagnostic:
    return Diagnostic(
        code="E0831",
        message="there is no mean of users that are their clicks",
        labels=(
            primary(place, "asks for the vectors of the mean user"),
            Label(span=predictor, text=f"`{name}` reads the clicks themselves"),
        ),
        help=("write `cold = popularity`, or leave `cold` out",),
    )


def attribute_not_there(name: str, place: Span, columns: Sequence[str]) -> Diagnostic:
    meant = nearest(name, columns)
    return Diagnostic(
        code="E0835",
        message=f"the items have no attribute `{name}` to keep",
        labels=(primary(place, f"they have {listing(columns, quote='`') or 'none'}"),),
        help=(f"did you mean `{meant}`?" if meant else "name one of these, or leave it out",),
    )


def bundles_collide(one: Spec, other: Spec, run: Span) -> Diagnostic:
    name = one.name.partition("[")[0]
    differ = [
        f"export.{field.name}" for field in fields(one.export)
        if getattr(one.export, field.name) != getattr(other.export, field.name)
    ] or ["train.limit"]  # fmt: skip
    names = [path.partition(".")[2] for path in differ]
    part = "export" if differ[0].startswith("export") else "training"
    labels = [primary(run, "one trained run, and a run holds one bundle")]
    for spec, text in ((one, "of the first"), (other, "of the second, which replaces it")):
        place = spec.origin.get(differ[0])
        if place is not None:
            labels.append(Label(span=place, text=text))
    return Diagnostic(
        code="E0805",
        message=f"two bundles of `{name}` would be one folder",
        labels=tuple(labels),
        notes=(f"they differ in {listing(names, quote='`')} of the {part} alone",),
        help=("write one `run NAME = ...` for each, so that each has a folder of its own",),
    )


def short(number: float) -> str:
    """A small number without the zeros of its exponent: 1.2e-7."""
    digits, _, exponent = f"{number:.1e}".partition("e")
    return f"{digits}e{int(exponent)}"


def write_size(count: int) -> str:
    """A number of bytes as one writes it, rounded up."""
    size, unit = next(
        (
            (count / size, unit)
            for size, unit in ((1024**3, "GiB"), (1024**2, "MiB"))
            if count > size
        ),
        (count / 1024, "KiB"),
    )
    return f"{math.ceil(10 * size) / 10:g}{unit}"
