"""From Lark's tree to ours: every rule of the grammar becomes one kind of part, with its place."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import lark

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Document, Span
from legoc.language.syntax import tree


UNITS = ("min", "KiB", "MiB", "GiB", "k", "M", "s", "h", "%")
LARGEST = 1e300

Raw = lark.Tree[lark.Token]


class Builder:
    """Builds the parts of one document; what a literal gets wrong is collected in `found`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Diagnostic] = []

    def part(self, raw: Raw) -> Any:
        made: Callable[[Raw], Any] = getattr(self, f"make_{raw.data}")
        return made(raw)

    def parts(self, raw: Raw) -> list[Any]:
        return [self.part(child) for child in raw.children if isinstance(child, lark.Tree)]

    def span(self, raw: "Raw | lark.Token") -> Span:
        first, last = leaf(raw, 0), leaf(raw, -1)
        return Span(self.document, first.start_pos or 0, last.end_pos or 0)

    def word(self, token: lark.Token) -> tree.Word:
        return tree.Word(span=self.span(token), text=str(token))

    def words(self, raw: Raw, *kinds: str) -> list[tree.Word]:
        return [self.word(t) for t in tokens(raw) if not kinds or t.type in kinds]

    def items(self, raws: Iterable[Raw]) -> tuple[tree.Item, ...]:
        return tuple(self.part(raw) for raw in raws)

    def make_use(self, raw: Raw) -> tree.Use:
        _, file, *_ = tokens(raw)
        names = tuple(self.words(raw, "NAME"))
        aliased = any(t.type == "AS" for t in tokens(raw))
        return tree.Use(
            span=self.span(raw),
            file=self.text(file),
            names=() if aliased else names,
            prefix=names[0] if aliased else None,
        )

    def make_param(self, raw: Raw) -> tree.Setting:
        (binding,) = self.parts(raw)
        return tree.Setting(span=self.span(raw), name=self.words(raw, "NAME")[0], binding=binding)

    def make_declared(self, raw: Raw) -> tree.Declared:
        kind: Any = str(raw.data)
        (body,) = self.parts(raw)
        return tree.Declared(
            span=self.span(raw), kind=kind, name=self.words(raw, "NAME")[0], body=body
        )

    make_data = make_generate = make_train = make_export = make_model = make_declared

    def make_run(self, raw: Raw) -> tree.Run:
        name = next(iter(self.words(raw, "NAME")), None)
        listed: dict[str, tuple[tree.Invocation, ...]] = {}
        export: tree.Invocation | None = None
        clauses: list[tree.Word | tree.Except] = []
        word = "RUN"
        for child in raw.children:
            if isinstance(child, lark.Token):
                word = child.type if child.type in ("ON", "WITH") else word
            elif child.data == "refs":
                listed[word] = tuple(self.parts(child))
            elif child.data == "as":
                (export,) = self.parts(child)
            else:
                clauses.append(self.part(child))
        start = self.word(tokens(raw)[0]).span
        return tree.Run(
            span=self.span(raw),
            name=name,
            head=start.to((name or listed["RUN"][0].path).span),
            models=listed["RUN"],
            data=listed["ON"],
            train=listed.get("WITH", ()),
            export=export,
            clauses=tuple(clauses),
        )

    def make_valid(self, raw: Raw) -> tree.Word:
        return tree.Word(span=self.span(raw), text="where valid")

    def make_except(self, raw: Raw) -> tree.Except:
        (pattern,) = self.parts(raw)
        return tree.Except(span=self.span(raw), pattern=pattern)

    def make_block(self, raw: Raw) -> tree.Block:
        return tree.Block(span=self.span(raw), fields=tuple(self.parts(raw)))

    def make_field(self, raw: Raw) -> tree.Field:
        key, binding = self.parts(raw)
        return tree.Field(span=self.span(raw), key=key, binding=binding)

    def make_set(self, raw: Raw) -> tree.Bind:
        (value,) = self.parts(raw)
        return tree.Bind(span=self.span(raw), value=value)

    def make_axis(self, raw: Raw) -> tree.Axis:
        (values,) = self.parts(raw)
        return tree.Axis(span=self.span(raw), values=values)

    def make_bare(self, raw: Raw) -> tree.Chain:
        (chain,) = self.parts(raw)
        return chain

    def make_pipeline(self, raw: Raw) -> tree.Chain:
        return tree.Chain(span=self.span(raw), stages=tuple(self.parts(raw)))

    def make_stage(self, raw: Raw) -> tree.Stage:
        role, operator = self.parts(raw)
        return tree.Stage(span=self.span(raw), role=role, operator=operator)

    def make_role(self, raw: Raw) -> tree.Word:
        return self.words(raw)[0]

    def make_call(self, raw: Raw) -> tree.Invocation:
        path, *args = self.parts(raw)
        return tree.Invocation(span=self.span(raw), path=path, args=args[0] if args else None)

    make_ref = make_call

    def make_column(self, raw: Raw) -> tree.Invocation:
        token = tokens(raw)[0]
        span = self.span(token)
        name = self.text(token).value if token.type == "STRING" else str(token)
        word = tree.Word(span=span, text=name)
        path = tree.Path(span=span, words=(word,))
        args = self.parts(raw)
        return tree.Invocation(span=self.span(raw), path=path, args=args[0] if args else None)

    def make_path(self, raw: Raw) -> tree.Path:
        words = (self.word(t) for t in tokens(raw) if t.type != "DOT")
        return tree.Path(span=self.span(raw), words=tuple(words))

    make_qname = make_path

    def make_args(self, raw: Raw) -> tree.Arguments:
        return tree.Arguments(span=self.span(raw), values=tuple(self.parts(raw)))

    def make_list(self, raw: Raw) -> tree.Items:
        return tree.Items(span=self.span(raw), values=tuple(self.parts(raw)))

    def make_options(self, raw: Raw) -> tree.Options:
        return tree.Options(span=self.span(raw), values=tuple(self.parts(raw)))

    def make_range(self, raw: Raw) -> tree.Range:
        low, high = self.parts(raw)
        log = any(t.type == "LOG" for t in tokens(raw))
        return tree.Range(span=self.span(raw), low=low, high=high, log=log)

    def make_variable(self, raw: Raw) -> tree.Variable:
        return tree.Variable(span=self.span(raw), name=str(raw.children[0])[1:])

    def make_string(self, raw: Raw) -> tree.Text:
        return self.text(tokens(raw)[0])

    def make_number(self, raw: Raw) -> tree.Number:
        token = tokens(raw)[0]
        return tree.Number(span=self.span(token), value=self.number(str(token), token))

    def make_quantity(self, raw: Raw) -> tree.Quantity:
        token = tokens(raw)[0]
        unit = next(unit for unit in UNITS if token.endswith(unit))
        number = self.number(str(token)[: -len(unit)], token)
        return tree.Quantity(span=self.span(token), number=number, unit=unit)

    def text(self, token: lark.Token) -> tree.Text:
        value = json.loads(token)
        if any(0xD800 <= ord(char) < 0xE000 for char in value):
            self.refuse(token, "E0101", "half a character", "write the character itself")
            value = ""
        return tree.Text(span=self.span(token), value=value)

    def number(self, written: str, token: lark.Token) -> int | float:
        digits = written.replace("_", "")
        value = float(digits)
        if abs(value) > LARGEST:
            self.refuse(token, "E0305", "larger than any number here", "write a smaller number")
            return 0
        return int(digits) if digits.lstrip("+-").isdigit() else value

    def refuse(self, token: lark.Token, code: str, what: str, help: str) -> None:
        shown = token if len(token) <= 30 else f"{token[:29]}…"
        label = Label(span=self.span(token), text=what, primary=True)
        self.found.append(
            Diagnostic(code=code, message=f"`{shown}` is {what}", labels=(label,), help=(help,))
        )


def tokens(raw: Raw) -> list[lark.Token]:
    """The words and signs that stand directly in a rule."""
    return [child for child in raw.children if isinstance(child, lark.Token)]


def leaf(raw: "Raw | lark.Token", side: int) -> lark.Token:
    """The first (0) or last (-1) token of a tree."""
    while isinstance(raw, lark.Tree):
        raw = raw.children[side]
    return raw
