"""The arguments of one operator or record against its declaration: kinds, ranges, units, names.

Sugar ends here: a primary argument gets its name, a shorthand its operator, a quantity its base
unit, a path its absolute form.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import LARGEST, REQUIRED, Kind, Param
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.checkpoints import HUB_NAME, names_hub
from legoc.language.ir.spec import Call
from legoc.language.resolving.points import Argument, Given, Measure, Range, Settings, Written
from legoc.language.resolving.wording_operators import meant_by, unknown_operator, unknown_parameter
from legoc.language.typing import wording_params as wording
from legoc.language.typing.rules import check_rules, default_value
from legoc.language.typing.wording_units import wrong_unit


if TYPE_CHECKING:
    from legoc_runtime.kinds import Column


FACTORS = {
    "%": 0.01, "s": 1, "min": 60, "h": 3600, "k": 1000, "M": 1_000_000,
    "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
}  # fmt: skip
PLAIN_UNITS = ("share", "count")


class Broken:
    """Stands for a value that was refused, so that nothing is concluded from it."""


BROKEN = Broken()


@dataclass(frozen=True, eq=False, kw_only=True)
class Arguments:
    """What a declaration makes of what was given.

    values: sound values and defaults, without those of `broken` and without defaults that the
        surroundings decide (`inherit`). spans: places of the written values, nested ones with a
        dotted name.
    """

    declaration: Declaration
    span: Span
    values: Mapping[str, Any]
    spans: Mapping[str, Span]
    broken: frozenset[str]
    problems: tuple[Diagnostic, ...]

    def place(self, name: str) -> Span:
        """Where a parameter is written, else where its operator is."""
        return self.spans.get(name, self.span)


class Judge:
    """Judges values and collects what is wrong with them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.problems: list[Diagnostic] = []
        self.spans: dict[str, Span] = {}
        # The columns of files that are not written yet.
        self.made: dict[str, Mapping[str, Column]] = {}

    def arguments(
        self,
        declaration: Declaration,
        span: Span,
        args: Mapping[str, Argument],
        positional: Sequence[Given] = (),
        prefix: str = "",
        skip: Sequence[str] = (),
    ) -> tuple[dict[str, Any], set[str]]:
        """Values by parameter, in the declared order, and the names of broken ones.

        skip: fields of a record that another phase reads.
        """
        given = {name: argument.given for name, argument in args.items()}
        broken: set[str] = set()
        # What a misspelt name most likely means is not taken to be left out.
        meant: set[str | None] = set()
        for name, argument in args.items():
            if declaration.param(name) is None:
                self.problems.append(
                    unknown_parameter(name, argument.name_span, declaration, self.catalog)
                )
                meant.add(meant_by(name, declaration))
        for index, value in enumerate(positional):
            primary = declaration.param(declaration.primary or "")
            if primary is None or index > 0:
                self.problems.append(wording.needs_name(value, declaration))
            elif primary.name in given:
                first = given[primary.name].span
                self.problems.append(wording.given_twice(primary, value.span, first, declaration))
            else:
                given[primary.name] = value
        values: dict[str, Any] = {}
        for p in declaration.params:
            if p.name in skip:
                continue
            if p.name in given:
                self.spans[prefix + p.name] = given[p.name].span
                found = self.value(p, given[p.name], declaration, prefix)
            elif p.name in meant:
                found = BROKEN
            elif p.required:
                self.problems.append(wording.missing(p, declaration, span))
                found = BROKEN
            elif p.default is REQUIRED:
                continue
            else:
                found = default_value(p.kind, p.default, self.catalog)
            if found is BROKEN:
                broken.add(p.name)
            else:
                values[p.name] = found
        self.problems += check_rules(
            declaration, values, lambda name: self.spans.get(prefix + name, span)
        )
        return values, broken

    def value(self, p: Param, given: Given, owner: Declaration, prefix: str) -> Any:
        """The value of one parameter, or BROKEN."""
        if given.value is None:
            if p.optional:
                return None
            self.problems.append(wording.not_optional(p, owner, given))
            return BROKEN
        return self.of_kind(p, p.kind, given, owner, prefix)

    def of_kind(self, p: Param, kind: Kind, given: Given, owner: Declaration, prefix: str) -> Any:
        value = given.value
        match kind.name, value:
            case (("int" | "float" | "quantity"), Range()):
                return self.range(p, kind, value, owner, prefix)
            case "operator", Range() if self.catalog.shorthand(kind.role or "") is not None:
                return self.shorthand(p, kind, given, owner, prefix)
            case "list", tuple():
                element = kind.element or Kind("str")
                self.spans |= {
                    f"{prefix}{p.name}.{index}": each.span
                    for index, each in enumerate(value)
                    if isinstance(each.value, Range)
                }
                found = [
                    self.of_kind(p, element, each, owner, f"{prefix}{p.name}.{index}.")
                    for index, each in enumerate(value)
                ]
                return BROKEN if any(each is BROKEN for each in found) else tuple(found)
            case "operator", Settings():
                return self.operator(kind.role or "", value, f"{prefix}{p.name}.")
            case "operator", int() | float() if not isinstance(value, bool):
                return self.shorthand(p, kind, given, owner, prefix)
            case "bool", bool():
                return value
            case "str", str():
                return value
            case "file", Written(path=path):
                return BROKEN if path is None else path
            case "file" | "folder", str():
                return self.path(kind.name, value, given.span)
            case "model", str():
                return self.model(value, given.span)
            case "vectors", str():
                return self.vectors(value, given.span)
            case "column", Settings(called=False, name=name):
                return name
            case "enum", Settings(called=False, name=name) if name in kind.values:
                return name
            case "quantity", Measure():
                return self.quantity(p, kind, given, value, owner)
            case "quantity", int() | float() if not isinstance(value, bool):
                return self.plain_quantity(p, kind, given, value, owner)
            case "int", int() if not isinstance(value, bool):
                return self.in_range(p, value, given, owner)
            case "float", int() | float() if not isinstance(value, bool):
                return self.in_range(p, float(value), given, owner)
            case "int" | "float", Measure():
                self.problems.append(wrong_unit(p, kind, given))
                return BROKEN
            case _:
                fitting = [d.name for d in self.catalog.role(kind.role or "")]
                self.problems.append(wording.wrong_kind(p, kind, owner, given, fitting))
                return BROKEN

    def range(self, p: Param, kind: Kind, found: Range, owner: Declaration, prefix: str) -> Any:
        """What a search is to find: both ends fit; until it has, the lower one stands there."""
        first = self.of_kind(p, kind, found.low, owner, prefix)
        if first is BROKEN:
            return BROKEN
        last = self.of_kind(p, kind, found.high, owner, prefix)
        return BROKEN if last is BROKEN else first

    def in_range(self, p: Param, value: Any, given: Given, owner: Declaration) -> Any:
        if isinstance(value, int) and p.max is None:
            p = replace(p, max=LARGEST)
        if not p.allows(value):
            self.problems.append(wording.out_of_range(p, owner, given, value))
            return BROKEN
        return value

    def quantity(
        self, p: Param, kind: Kind, given: Given, value: Measure, owner: Declaration
    ) -> Any:
        if wording.UNIT_OF[value.unit] != kind.unit:
            self.problems.append(wrong_unit(p, kind, given))
            return BROKEN
        # Dividing keeps 7% the very number 0.07; multiplying by 0.01 would not.
        number = value.number / 100 if value.unit == "%" else value.number * FACTORS[value.unit]
        return self.in_unit(p, kind, given, number, owner)

    def plain_quantity(
        self, p: Param, kind: Kind, given: Given, value: int | float, owner: Declaration
    ) -> Any:
        if kind.unit not in PLAIN_UNITS:
            self.problems.append(wrong_unit(p, kind, given))
            return BROKEN
        if kind.unit == "count" and isinstance(value, float):
            self.problems.append(wording.wrong_kind(p, kind, owner, given))
            return BROKEN
        return self.in_unit(p, kind, given, value, owner)

    def in_unit(
        self, p: Param, kind: Kind, given: Given, number: int | float, owner: Declaration
    ) -> Any:
        """A quantity in its base unit: counts and bytes are whole."""
        if kind.unit in ("count", "bytes"):
            rounded = round(number)
            if abs(rounded - number) > 1e-6 * max(1.0, abs(number)):
                self.problems.append(wording.wrong_kind(p, kind, owner, given))
                return BROKEN
            return self.in_range(p, rounded, given, owner)
        return self.in_range(p, float(number), given, owner)

    def path(self, kind: str, value: str, span: Span) -> str:
        """An absolute path. Relative ones are relative to the file that states them."""
        found = os.path.abspath(os.path.join(os.path.dirname(span.document.path), value))
        exists = os.path.isdir(found) if kind == "folder" else os.path.isfile(found)
        if not exists:
            self.problems.append(wording.missing_file(found, kind, span))
        return found

    def model(self, value: str, span: Span) -> str:
        """The path of a model's folder; what is no folder and looks like one of a hub's names is
        such a name."""
        folder = os.path.abspath(os.path.join(os.path.dirname(span.document.path), value))
        if HUB_NAME.fullmatch(value) and not os.path.isdir(folder):
            return value
        return self.path("folder", value, span)

    def vectors(self, value: str, span: Span) -> str:
        """The path of a file of word vectors or of a model's folder; what is neither and looks like
        the name of a hub's model, with its owner, is such a name."""
        found = os.path.abspath(os.path.join(os.path.dirname(span.document.path), value))
        if os.path.isdir(found):
            return found
        if names_hub(value) and not os.path.isfile(found):
            return value
        return self.path("file", value, span)

    def operator(self, role: str, settings: Settings, prefix: str) -> Any:
        declaration = self.catalog.get(role, settings.name)
        if declaration is None:
            self.problems.append(unknown_operator(role, settings.name, settings.span, self.catalog))
            return BROKEN
        values, broken = self.arguments(
            declaration, settings.span, settings.args, settings.positional, prefix
        )
        return BROKEN if broken else Call(op=declaration.name, args=values)

    def shorthand(self, p: Param, kind: Kind, given: Given, owner: Declaration, prefix: str) -> Any:
        """A bare number stands for the operator of the role that declares a shorthand."""
        declaration = self.catalog.shorthand(kind.role or "")
        if declaration is None or declaration.shorthand is None:
            self.problems.append(wording.wrong_kind(p, kind, owner, given))
            return BROKEN
        name = declaration.shorthand
        argument = Argument(name, given.span, given)
        values, broken = self.arguments(
            declaration, given.span, {name: argument}, prefix=f"{prefix}{p.name}."
        )
        return BROKEN if broken else Call(op=declaration.name, args=values)


def check_arguments(declaration: Declaration, settings: Settings, catalog: Catalog) -> Arguments:
    """The arguments of an operator as written, judged."""
    judge = Judge(catalog)
    values, broken = judge.arguments(declaration, settings.span, settings.args, settings.positional)
    return Arguments(
        declaration=declaration,
        span=settings.span,
        values=values,
        spans=judge.spans,
        broken=frozenset(broken),
        problems=tuple(judge.problems),
    )
