"""Patterns over points: `except (content=Null, predict=Dot)` and `--only content=CNN,hidden=64`.

A pattern fits a point when each of its parts does. A part names an axis as point names do, or a
place in the point by its path; its value fits when the point's is the same, or is a call of the
same name that was given at least the same arguments.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, LegoError, refusal
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.suggest import grade, listing, nearest
from legoc.language.resolving.points import Argument, Given, Point, Record, Settings
from legoc.language.resolving.ranges import is_axis, judge, whole_values
from legoc.language.resolving.show import show
from legoc.language.syntax import tree
from legoc.language.syntax.parse import parse_arguments, parse_value


class Patterns:
    """Several patterns; a point that fits one of them matches."""

    def __init__(self, patterns: Iterable[tree.Arguments]) -> None:
        self.patterns = [
            [(part.key.text, part) for part in pattern.values if isinstance(part, tree.Field)]
            for pattern in patterns
        ]
        self.unnamed = [
            value
            for pattern in patterns
            for value in pattern.values
            if not isinstance(value, tree.Field)
        ]
        self.judged: dict[tuple[tree.Field, str], bool] = {}

    def match(self, point: Point) -> bool:
        return any(
            pattern and all(self.fits(point, key, part) for key, part in pattern)
            for pattern in self.patterns
        )

    def fits(self, point: Point, key: str, part: tree.Field) -> bool:
        found = text_at(point, key)
        if found is None:
            return False
        judged = self.judged.get((part, found))
        if judged is None:
            value = read_text(found)
            judged = value is not None and any(
                same(wanted, value) for wanted in wanted_values(part.binding)
            )
            self.judged[(part, found)] = judged
        return judged

    def unknown(self, points: Sequence[Point]) -> list[Diagnostic]:
        """What no point has: a key that names nothing, a part without a name."""
        found = [
            refusal(
                "E0301", value.span, "a pattern needs names", "of which axis?",
                f"write, for instance, `{named(value, points)}`",
            )
            for value in self.unnamed
        ]  # fmt: skip
        found += [
            refusal(
                "E0308", part.binding.span, "a pattern names values", "no value is named here",
                f"write them out: `{part.key.text} in [a, b]`",
            )
            for pattern in self.patterns
            for _, part in pattern
            if not wanted_values(part.binding)
        ]  # fmt: skip
        keys = {key: part for pattern in self.patterns for key, part in pattern}
        for key, part in keys.items():
            if points and all(text_at(point, key) is None for point in points):
                found.append(unknown_key(part, points))
        return found


def select(points: Sequence[Point], only: str) -> list[Point]:
    """The points that `--only` names. Raises LegoError for a pattern that is not one, that names no
    axis, or that fits no point."""
    document = Document("./--only", f"({only})")
    parsed = parse_arguments(document, 0)
    if isinstance(parsed, tuple):
        raise LegoError(*parsed)
    patterns = Patterns((parsed,))
    found = patterns.unknown(points)
    if found:
        raise LegoError(*found)
    kept = [point for point in points if patterns.match(point)]
    if not kept:
        raise LegoError(
            refusal(
                "E0202", parsed.span, f"`--only {only}` fits no point", "no point is like this",
                "`legoc check FILE --points` lists them",
            )
        )  # fmt: skip
    return kept


def named(value: tree.Value, points: Sequence[Point]) -> str:
    """The part that a value alone was meant as, where it is what some point is made of."""
    word = value.path.text if isinstance(value, tree.Invocation) else ""
    places = ("model", "data", "train", "export", "content", "behavior", "flatten", "predict")
    for place in places:
        for point in points:
            found = text_at(point, place)
            if found is not None and found.partition("(")[0] == word:
                return f"{place}={word}"
    return "content=Null"


def unknown_key(part: tree.Field, points: Sequence[Point]) -> Diagnostic:
    axes = list(dict.fromkeys(key for point in points for key in point.choices))
    close = nearest(part.key.text, [*axes, "model", "data", "train", "export", "content",
                                    "behavior", "flatten", "predict"])  # fmt: skip
    fix = None
    if close:
        help = f"did you mean `{close}`?"
        title = f"write `{close}`"
        span = part.key.span
        fix = Fix(grade=grade(part.key.text, close), title=title, span=span, replacement=close)
    else:
        help = f"the axes are {listing(axes, quote='`')}" if axes else "the run has no axes"
    return refusal(
        "E0202", part.key.span, f"no point has `{part.key.text}`", "names no axis", help, fix=fix
    )  # fmt: skip


def wanted_values(binding: tree.Bind | tree.Axis) -> tuple[tree.Value, ...]:
    if isinstance(binding, tree.Bind):
        return (binding.value,)
    found = binding.values
    if isinstance(found, tree.Range) and is_axis(found) and judge(found) is None:
        return tuple(tree.Number(span=found.span, value=each) for each in whole_values(found))
    return binding.written


def text_at(point: Point, key: str) -> str | None:
    """What a point has at an axis or a path, as text."""
    chosen = point.choices.get(key)
    if chosen is not None:
        return chosen
    head, *rest = key.split(".")
    if not rest and head in ("model", "data", "train", "export"):
        part: Record | object | None = getattr(point, head)
        return getattr(part, "name", None)
    where: Mapping[str, Argument] | None = None
    if head in ("data", "train", "export"):
        record: Record | None = getattr(point, head)
        where = record.fields if record else None
    else:
        if head == "model" and rest:
            head, *rest = rest
        for role, _, settings in point.model.stages:
            if role == head:
                if not rest:
                    return show(settings)
                where = settings.args
    return below(where, rest)


def below(where: Mapping[str, Argument] | None, rest: Sequence[str]) -> str | None:
    given: Given | None = None
    for word in rest:
        if where is None or word not in where:
            return None
        given = where[word].given
        where = given.value.args if isinstance(given.value, Settings) else None
    return show(given) if given is not None else None


@lru_cache(maxsize=4096)
def read_text(text: str) -> tree.Value | None:
    """A shown value, read back."""
    parsed = parse_value(Document("point", text), 0)
    return None if isinstance(parsed, tuple) else parsed


def same(wanted: tree.Value, found: tree.Value) -> bool:
    """Whether a value fits a pattern."""
    if isinstance(wanted, tree.Invocation) and isinstance(found, tree.Invocation):
        if wanted.path.text != found.path.text:
            return False
        has = found.args.values if found.args else ()
        return all(
            any(same_argument(each, other) for other in has)
            for each in (wanted.args.values if wanted.args else ())
        )
    if isinstance(wanted, tree.Items) and isinstance(found, tree.Items):
        return len(wanted.values) == len(found.values) and all(
            same(one, other) for one, other in zip(wanted.values, found.values, strict=True)
        )
    return tree.outline(wanted) == tree.outline(found)


def same_argument(wanted: "tree.Field | tree.Value", found: "tree.Field | tree.Value") -> bool:
    if isinstance(wanted, tree.Field) and isinstance(found, tree.Field):
        values = wanted_values(found.binding)
        return wanted.key.text == found.key.text and any(
            same(one, other) for one in wanted_values(wanted.binding) for other in values
        )
    if isinstance(wanted, tree.Field) or isinstance(found, tree.Field):
        return False
    return same(wanted, found)
