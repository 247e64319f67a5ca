"""Attributes kept at serving: what `where` asks for.

Letters: N items with row 0, I new items, P chosen rows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import Blocks
from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.ids import as_list, shown
from legoc_runtime.manifest import Kept
from legoc_runtime.tensors import Array, parse_tensors
from legoc_runtime.values import Notation, read_categories, read_number


Bool = NDArray[np.bool_]
Filter = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Column:
    """An attribute of every item: numbers F64[N], NaN where there is none, or for each item [N] a
    number among `sets`, its values. `sets` and `holding`, the sets that hold a value, are shared
    with later columns and only grow."""

    name: str
    kind: Literal["category", "number"]
    notation: Notation
    values: Blocks
    sets: list[tuple[str, ...]]
    numbers: dict[tuple[str, ...], int]
    holding: dict[str, list[int]]

    def read(self, records: Sequence[Mapping[str, object]]) -> Array:
        """The values [I] of records; new sets of values are noted. For one writer at a time."""
        given = [record.get(self.name) for record in records]
        if self.kind == "number":
            found = [read_number(self.name, value, self.notation) for value in given]
            return np.array([np.nan if x is None else x for x in found], dtype=np.float64)
        every = [read_categories(self.name, value, self.notation) for value in given]
        return np.array([self.note(values) for values in every], dtype=np.int32)

    def verify(self, records: Sequence[Mapping[str, object]]) -> None:
        """RequestError where a value cannot be read."""
        reads = read_number if self.kind == "number" else read_categories
        for record in records:
            reads(self.name, record.get(self.name), self.notation)

    def note(self, values: Iterable[str]) -> int:
        """The number of a set of values."""
        key = tuple(sorted(set(values)))
        number = self.numbers.get(key)
        if number is None:
            number = len(self.sets)
            self.sets.append(key)
            self.numbers[key] = number
            for value in key:
                self.holding.setdefault(value, []).append(number)
        return number

    def asked(self, wanted: object) -> "Asked":
        """What a filter asks of this column; RequestError where it cannot be asked."""
        if self.kind == "number":
            return Asked(values=self.values, range=as_range(self.name, wanted))
        # Before the sets are counted, so that each number is below the count.
        numbers = [n for value in self.wanted(wanted) for n in tuple(self.holding.get(value, ()))]
        allowed = np.zeros(max(len(self.sets), 1), dtype=bool)
        allowed[numbers] = True
        return Asked(values=self.values, allowed=allowed)

    def wanted(self, wanted: object) -> list[str]:
        """The values of a filter, read as those of an item."""
        plain = isinstance(wanted, str | int | float)
        listed = [wanted] if plain else as_list(wanted, f"the values of `{self.name}`", LISTED)
        return [v for one in listed for v in read_categories(self.name, one, self.notation)]


LISTED = 'give one value or a list: {"category": ["news", "sport"]}'
BOUNDS = 'give the lowest and the highest, or None for either: {"price": (0, 20)}'


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one column must be: in a range, both ends included, or a set that is allowed."""

    values: Blocks
    range: tuple[float, float] = (0, 0)
    allowed: Bool | None = None

    def fits(self, values: Array) -> Bool:
        """[n] of values [n] of this column."""
        if self.allowed is None:
            low, high = self.range
            return (values >= low) & (values <= high)
        return self.allowed[values]


def ask(columns: Mapping[str, Column], where: Filter | None) -> list[Asked]:
    """What a filter asks of each column. RequestError for an attribute that was not kept."""
    if where is None:
        return []
    if not isinstance(cast(object, where), Mapping):
        raise RequestError(f"`where` is {shown(where)}", LISTED)
    for name in where:
        if name not in columns:
            kept = ", ".join(f"`{known}`" for known in columns)
            raise RequestError(
                f"`where` asks for {shown(name)}, which this bundle does not keep; it keeps "
                f"{kept or 'no attribute'}",
                f"keep it in the export: `export {{ keep = [{name}] }}`",
            )
    return [columns[name].asked(wanted) for name, wanted in where.items()]


def as_range(name: str, wanted: object) -> tuple[float, float]:
    """Two ends, or one number that is both."""
    bounds: list[Any] = [wanted, wanted]
    if not isinstance(wanted, int | float | np.number):
        bounds = as_list(wanted, f"the bounds of `{name}`", BOUNDS)
    if len(bounds) != 2:
        raise RequestError(f"`{name}` has {len(bounds)} bounds", BOUNDS)
    ends: list[float] = []
    for bound, none in zip(bounds, (-np.inf, np.inf), strict=True):
        if bound is None:
            ends.append(none)
            continue
        number = isinstance(bound, int | float | np.number) and not isinstance(bound, bool)
        if not number or np.isnan(bound):
            raise RequestError(f"a bound of `{name}` is {shown(bound)}", BOUNDS)
        ends.append(float(bound))
    return ends[0], ends[1]


def make_column(kept: Mapping[str, Any], values: Array, sets: Sequence[Sequence[str]]) -> Column:
    """A column of the rows of a table."""
    keys = [tuple(each) for each in sets]
    holding: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        for value in key:
            holding.setdefault(value, []).append(number)
    return Column(
        name=str(kept["name"]), kind=kept["kind"], notation=Notation.from_json(kept),
        values=Blocks.of(values), sets=keys, numbers={key: n for n, key in enumerate(keys)},
        holding=holding,
    )  # fmt: skip


def read_columns(bundle: Bundle, kept: Kept) -> dict[str, Column]:
    """The kept attributes of a bundle. Raises BundleError where they do not fit."""
    tensors = parse_tensors(bundle.read(kept.file), kept.file)
    return collect_columns(tensors, kept.columns, bundle.parts.rows, kept.file)


def collect_columns(
    tensors: Mapping[str, Array], columns: Sequence[Mapping[str, Any]], rows: int, file: str
) -> dict[str, Column]:
    """Columns of tensors: `<place>/values` F64[N] of numbers, else I32[N] among the sets that
    `<place>/sets` writes as JSON in UTF-8."""
    found: dict[str, Column] = {}
    for place, told in enumerate(columns):
        values, sets = tensors.get(f"{place}/values"), tensors.get(f"{place}/sets")
        lists = [] if told["kind"] == "number" or sets is None else read_sets(sets)
        if values is None or lists is None or not fits(values, told["kind"], rows, len(lists)):
            raise BundleError(
                f"`{file}` does not hold `{told['name']}` of {rows} items", "export it again"
            )
        found[str(told["name"])] = make_column(told, values, lists)
    return found


def fits(values: Array, kind: str, rows: int, sets: int) -> bool:
    """Whether an array is a column of so many rows and sets."""
    if kind == "number":
        return values.shape == (rows,) and values.dtype == np.float64
    inside = values.shape == (rows,) and values.dtype == np.int32
    return inside and int(values.min(initial=0)) >= 0 and int(values.max(initial=-1)) < sets


def read_sets(content: Array) -> list[list[str]] | None:
    """A list of lists of texts; None for anything else."""
    try:
        found: Any = json.loads(content.tobytes().decode("utf-8"))
        return [[str(value) for value in each] for each in found]
    except (ValueError, TypeError, RecursionError):
        return None


def write_columns(columns: Mapping[str, Column]) -> dict[str, Array]:
    """The tensors of `collect_columns`."""
    tensors: dict[str, Array] = {}
    for place, column in enumerate(columns.values()):
        tensors[f"{place}/values"] = column.values.whole()
        if column.kind == "category":
            text = json.dumps(column.sets, ensure_ascii=False).encode()
            tensors[f"{place}/sets"] = np.frombuffer(text, dtype=np.uint8)
    return tensors


def with_values(column: Column, values: Blocks) -> Column:
    return replace(column, values=values)
