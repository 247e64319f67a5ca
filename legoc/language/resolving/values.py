"""Values of the tree as templates: variables looked up, literals read, arguments in order."""

from collections.abc import Callable, Iterable

from legoc.language.declaring.catalog import catalog_or_empty
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.diagnosing.diagnostics import Diagnostic, Label, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.ranges import read_range
from legoc.language.resolving.replacing import Place, place_below, replaced_in_call, role_of
from legoc.language.resolving.template import Called, Leaf, Listed, Sweep, Template
from legoc.language.resolving.wording_overrides import changes_nothing, replaced_behind
from legoc.language.syntax import tree


SYMBOLS = {"true": True, "false": False, "none": None}
Lookup = Callable[[tree.Variable], Template]
Report = Callable[[Diagnostic], None]


def read_value(
    value: tree.Value, lookup: Lookup, report: Report, role: str | None = None
) -> Template:
    """The template of a value; `role` is the role of the operator expected here, if known."""
    if isinstance(value, tree.Variable):
        return lookup(value)
    if isinstance(value, tree.Items):
        items = tuple(read_value(each, lookup, report, role) for each in value.values)
        return Listed(items, value.span)
    if isinstance(value, tree.Invocation):
        name = value.path.text
        if name in SYMBOLS and value.args is None:
            return Leaf(Given(SYMBOLS[name], value.span))
        return read_call(value, lookup, report, role)
    if isinstance(value, tree.Text):
        return Leaf(Given(value.value, value.span))
    if isinstance(value, tree.Quantity):
        return Leaf(Given(Measure(value.number, value.unit), value.span))
    return Leaf(Given(value.value, value.span))


def read_call(
    call: tree.Invocation, lookup: Lookup, report: Report, role: str | None = None
) -> Called:
    name = call.path.text
    owner = declarations_of(role, name)
    made = Called(name, call.path.span, call.span, called=bool(call.args and call.args.values))
    if call.args is None:
        return made
    report_repeated(call.args.values, report)
    positional = [
        read_value(value, lookup, report)
        for value in call.args.values
        if not isinstance(value, tree.Field)
    ]
    made = Called(name, made.name_span, made.span, {}, tuple(positional), made.called)
    for field in call.args.values:
        if isinstance(field, tree.Field):
            below = role_of(owner, field.key.words[0].text) if len(field.key.words) == 1 else None
            new = read_binding(field.binding, lookup, report, below)
            # Only a dotted key reaches into what stands before it.
            known = owner if len(field.key.words) > 1 else None
            if len(field.key.words) > 1:
                place = Place(Kind("operator", role=role), made)
                for word in field.key.words:
                    place = place_below(place, word.text)
                report_again(field, place.template, new, name, report)
            made = replaced_in_call(made, known, field.key.words, field.key, new)
    return made


def read_binding(
    binding: tree.Bind | tree.Axis,
    lookup: Lookup,
    report: Report,
    role: str | None = None,
    param: str | None = None,
) -> Template:
    """`= value` is a value, `in [...]` an axis, `in {...}` and a range what a search chooses."""
    if isinstance(binding, tree.Bind):
        return read_value(binding.value, lookup, report, role)
    values = binding.values
    if isinstance(values, tree.Range):
        return read_range(values, binding, report, param)
    options = tuple(read_value(value, lookup, report, role) for value in values.values)
    if not options:
        report(
            refusal(
                "E0304", values.span, "an axis has no value", "nothing to choose from",
                "write the values to sweep: `in [64, 128]`"
                if isinstance(values, tree.Items)
                else "write what to choose from: `in {64, 128}`",
            )
        )  # fmt: skip
    report_repeated_values(values.values, report)
    searched = isinstance(values, tree.Options)
    return Sweep(options, values.span, binding, param, searched)


def declarations_of(role: str | None, name: str) -> Declaration | None:
    return catalog_or_empty().get(role, name) if role else None


def report_repeated(values: Iterable["tree.Field | tree.Value"], report: Report) -> None:
    """E0205 for a key that stands twice in one block or one pair of parentheses, W102 for one that
    reaches into what is replaced behind it."""
    seen: dict[str, tree.Path] = {}
    for field in values:
        if not isinstance(field, tree.Field):
            continue
        key = field.key.text
        if key in seen:
            report(given_twice(f"`{key}`", field.key.span, seen[key].span))
            continue
        for earlier, path in seen.items():
            if earlier.startswith(f"{key}."):
                report(replaced_behind(path, field.key))
        seen[key] = field.key


def report_again(
    field: tree.Field, old: Template | None, new: Template, owner: str, report: Report
) -> None:
    """W102 for a dotted key that says, in the same block or call, what stands there already."""
    if not isinstance(old, Leaf) or not isinstance(new, Leaf):
        return
    if literal(old.given) != literal(new.given):
        return
    if any(isinstance(part, tree.Variable) for part in tree.walk(field)):
        return
    report(
        changes_nothing(
            f"`{field.key.text}` of `{owner}` has this value already",
            field.span,
            Label(span=old.span, text="already here"),
            help="drop it, or write another value",
        )
    )


def literal(given: Given) -> tuple[object, ...]:
    """A value that `1` and `true` do not share."""
    value = given.value
    if isinstance(value, Measure):
        return "unit", value.number, value.unit
    return isinstance(value, bool), isinstance(value, str), value


def report_repeated_values(values: Iterable[tree.Value], report: Report) -> None:
    """E0205 for two equal values of one axis: two points would be one."""
    seen: dict[object, Span] = {}
    for value in values:
        key = tree.outline(value)
        if key in seen:
            report(given_twice(f"`{value.span.text}`", value.span, seen[key]))
        else:
            seen[key] = value.span


def given_twice(what: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        code="E0205",
        message=f"{what} is given twice",
        labels=(
            Label(span=span, text="and again here", primary=True),
            Label(span=first, text="first here"),
        ),
        help=("keep one of the two",),
    )
