"""Nodes of JSON or YAML as templates, read by the declarations they are written for.

In the language a word and a text look different; in JSON both are texts, and durations and sizes
are plain numbers in seconds and bytes. So a value is read by the kind of its parameter. What does
not fit is left as it stands, and the phase that judges arguments says what is wrong with it.
"""

from collections.abc import Callable

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, refusal
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import grade, nearest
from legoc.language.resolving.points import Given, Measure
from legoc.language.resolving.template import Called, Entry, Leaf, Listed, Template
from legoc.language.syntax.nodes import Mapping, Node, Pair, Scalar, Sequence, kind_of


Report = Callable[[Diagnostic], None]
UNITS = {"duration": "s", "bytes": "KiB"}
KIBI = 1024


class Values:
    """Reads values and collects what is wrong with their shape."""

    def __init__(self, catalog: Catalog, report: Report) -> None:
        self.catalog = catalog
        self.report = report

    def entries(self, owner: Declaration | None, node: Mapping) -> dict[str, Entry]:
        """The arguments of an operator or the fields of a record; one whose shape is wrong has been
        reported and is missing."""
        found: dict[str, Entry] = {}
        for pair in node.pairs:
            declared = owner.param(pair.key) if owner is not None else None
            template = self.value(declared.kind if declared is not None else None, pair.value)
            if template is not None:
                found[pair.key] = Entry(pair.key, pair.key_span, template)
        return found

    def value(self, kind: Kind | None, node: Node) -> Template | None:
        name = kind.name if kind is not None else None
        if isinstance(node, Scalar) and node.value is None:
            return Leaf(Given(None, node.span))
        if kind is not None and name == "operator":
            return self.call(kind.role or "", node)
        if name in ("attribute", "content"):
            return self.part(node, prompts=name == "content")
        if isinstance(node, Sequence):
            element = kind.element if kind is not None and name == "list" else None
            items = [self.value(element, item) for item in node.items]
            whole = tuple(item for item in items if item is not None)
            return Listed(whole, node.span) if len(whole) == len(items) else None
        if isinstance(node, Mapping):
            self.report(self.wrong(node, "a plain value or a list belongs here"))
            return None
        if name == "list":
            self.report(self.wrong(node, "a list belongs here", f"write `[{node.span.text}]`"))
            return None
        return Leaf(Given(node.value, node.span)) if kind is None else self.scalar(kind, node)

    def scalar(self, kind: Kind, node: Scalar) -> Template:
        value = node.value
        if kind.name in ("enum", "column") and isinstance(value, str) and is_word(value):
            return Called(value, node.span, node.span)
        if kind.name == "quantity" and isinstance(value, int | float) and kind.unit in UNITS:
            number = value / KIBI if kind.unit == "bytes" else value
            if not isinstance(value, bool):
                return Leaf(Given(Measure(number, UNITS[kind.unit]), node.span))
        return Leaf(Given(value, node.span))

    def call(self, role: str, node: Node) -> Called | None:
        """`{op: NAME, args: {...}}`."""
        if not isinstance(node, Mapping):
            text = node.value if isinstance(node, Scalar) else None
            shown = text if isinstance(text, str) and is_word(text) else "NAME"
            self.report(self.wrong(node, "an operator is a mapping", f"write `{{op: {shown}}}`"))
            return None
        if not self.known_keys(node, ("op", "args"), "an operator"):
            return None
        op, args = node.get("op"), node.get("args")
        if not isinstance(op, Scalar) or not isinstance(op.value, str):
            place = op.span if op is not None else node.span
            names = ", ".join(d.name for d in self.catalog.role(role))
            self.report(missing(head(place), "an operator has no name", "`op` is missing", names))
            return None
        owner = self.catalog.get(role, op.value)
        if args is None or (isinstance(args, Scalar) and args.value is None):
            return Called(op.value, op.span, op.span)
        if not isinstance(args, Mapping):
            self.report(self.wrong(args, "`args` is a mapping", "write `args: {name: value}`"))
            return None
        return Called(op.value, op.span, op.span, self.entries(owner, args), (), bool(args.pairs))

    def part(self, node: Node, *, prompts: bool) -> Template | None:
        """`{attr: title, max: 30}`, `{attr: price, bins: 16}`, `{attr: tags, values: 3}` or `{text:
        "News: "}`."""
        keys = ("attr", "max", "bins", "values", *(("text",) if prompts else ()))
        form = "`{attr: NAME}` or `{text: TEXT}`" if prompts else "`{attr: NAME}`"
        if not isinstance(node, Mapping):
            self.report(self.wrong(node, "an attribute is a mapping", f"write {form}"))
            return None
        if not self.known_keys(node, keys, "an attribute"):
            return None
        name, text = node.get("attr"), node.get("text")
        if text is not None and isinstance(text, Scalar) and isinstance(text.value, str):
            if len(node.pairs) == 1 and prompts:
                return Leaf(Given(text.value, text.span))
        elif isinstance(name, Scalar) and isinstance(name.value, str) and text is None:
            rest = [pair for pair in node.pairs if pair.key != "attr"]
            args = {pair.key: self.length(pair) for pair in rest}
            return Called(name.value, name.span, name.span, args, (), bool(rest))
        self.report(
            self.wrong(node, "an attribute has a name, a prompt has a text", f"write {form}")
        )
        return None

    def length(self, pair: Pair) -> Entry:
        value = pair.value.value if isinstance(pair.value, Scalar) else None
        return Entry(pair.key, pair.key_span, Leaf(Given(value, pair.value.span)))

    def known_keys(self, node: Mapping, keys: tuple[str, ...], owner: str) -> bool:
        """Whether a mapping has no other keys; each other one is reported."""
        strange = [pair for pair in node.pairs if pair.key not in keys]
        for pair in strange:
            self.report(unknown_key(pair, keys, owner))
        return not strange

    def wrong(self, node: Node, message: str, *help: str) -> Diagnostic:
        return refusal("E0902", head(node.span), message, f"{kind_of(node)} stands here", *help)


def head(span: Span) -> Span:
    """The first line of a place: what a message about a whole mapping underlines."""
    line = span.document.text.find("\n", span.start, span.end)
    return span if line < 0 else Span(span.document, span.start, max(line, span.start))


def is_word(text: str) -> bool:
    return text.isidentifier() and text.isascii()


def missing(span: Span, message: str, label: str, names: str) -> Diagnostic:
    return refusal("E0902", span, message, label, f"write `{{op: NAME}}`; there are {names}")


def unknown_key(pair: Pair, keys: tuple[str, ...], owner: str) -> Diagnostic:
    close = nearest(pair.key, keys)
    listed = f"keys: {', '.join(keys)}"
    return Diagnostic(
        code="E0302",
        message=f"{owner} has no key `{pair.key}`",
        labels=refusal("", pair.key_span, "", "unknown key").labels,
        help=(f"did you mean `{close}`? {listed}" if close else listed,),
        fix=None
        if close is None
        else Fix(
            grade=grade(pair.key, close),
            title=f"write `{close}`",
            span=pair.key_span,
            replacement=close,
        ),
    )
