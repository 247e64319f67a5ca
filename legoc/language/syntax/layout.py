"""The layout of a file: one line where it fits, else one part per line.

Every method that writes a part takes the column where the part begins, the indentation of its
line, and the columns to keep free behind it.
"""

import re
from collections.abc import Callable, Sequence

from legoc.language.diagnosing.document import Span
from legoc.language.syntax import tree
from legoc.language.syntax.attached import attach
from legoc.language.syntax.names import written_path
from legoc.language.syntax.parse import Parsed


WIDTH = 88
STEP = 2
BLANK = re.compile(r"\n[ \t\r\f]*\n")
Write = Callable[[tree.Part, int], str]


class Layout:
    """The formatted text of one file."""

    def __init__(self, parsed: Parsed) -> None:
        self.tree = parsed.tree
        self.source = parsed.document.text
        self.comments = attach(parsed)

    def text(self) -> str:
        root = self.tree
        parts = (root.bare,) if root.bare is not None else root.items
        lines = self.lines(root, parts, 0, lambda part, _: self.item(part))
        return "".join(f"{line}\n" for line in lines)

    def lines(
        self,
        holder: tree.Part,
        parts: Sequence[tree.Part],
        indent: int,
        write: Write,
        end: str = "",
    ) -> list[str]:
        """Each part on a line of its own, with its comments and the author's blank lines."""
        found: list[str] = []
        margin = " " * indent
        cursor: int | None = None

        def say(text: str, start: int, stop: int) -> None:
            nonlocal cursor
            if cursor is not None and cursor <= start and BLANK.search(self.source, cursor, start):
                found.append("")
            found.append(text)
            cursor = max(cursor or 0, stop)

        for part in parts:
            for comment in self.comments.before.get(part, ()):
                say(margin + comment.text, comment.start, comment.end)
            tail = "".join(f"  {each.text}" for each in self.comments.behind.get(part, ()))
            text = f"{margin}{write(part, indent)}{end}{tail}"
            last: Span = (self.comments.behind.get(part) or [part.span])[-1]
            say(text, part.span.start, max(last.end, part.span.end))
        for comment in self.comments.last.get(holder, ()):
            say(margin + comment.text, comment.start, comment.end)
        return found

    def flat(self, part: tree.Part) -> str | None:
        """The part on one line; None where a comment or a block inside it needs lines."""
        return None if self.comments.inside(part) else flatten(part)

    def item(self, part: tree.Part) -> str:
        """A declaration, or the bare pipeline, at the margin."""
        if isinstance(part, tree.Chain):
            return self.chain(part, 0, "")
        if isinstance(part, tree.Use):
            return self.use(part)
        if isinstance(part, tree.Run):
            return self.run(part)
        if isinstance(part, tree.Setting):
            head = f"param {part.name.text}"
            return head + self.binding(part.binding, len(head), 0, 0, " = ")
        assert isinstance(part, tree.Declared)
        head = f"{part.kind} {part.name.text}"
        if isinstance(part.body, tree.Block):
            return f"{head} {self.block(part.body)}"
        if isinstance(part.body, tree.Chain):
            return self.chain(part.body, STEP, f"{head} =")
        return f"{head} = {self.value(part.body, len(head) + 3, 0, 0)}"

    def use(self, use: tree.Use) -> str:
        head = f"use {use.file.span.text} "
        if use.prefix is not None:
            return f"{head}as {use.prefix.text}"
        one = f"({', '.join(name.text for name in use.names)})"
        if not self.comments.inside(use) and len(head) + len(one) <= WIDTH:
            return head + one
        write: Write = lambda name, _: name.span.text  # noqa: E731
        return f"{head}({self.opened(use, use.names, 0, write)})"

    def block(self, block: tree.Block) -> str:
        if not block.fields and block not in self.comments.last:
            return "{}"
        write: Write = lambda field, indent: self.field(field, indent, indent, 0, " = ")  # noqa: E731
        lines = self.lines(block, block.fields, STEP, write)
        return "\n".join(["{", *lines, "}"])

    def chain(self, chain: tree.Chain, indent: int, head: str) -> str:
        """A pipeline behind `model NAME =`, or alone."""
        one = self.flat(chain)
        if one is not None:
            text = f"{head} {one}" if head else one
            if len(text) <= WIDTH:
                return text

        def write(stage: tree.Part, indent: int) -> str:
            arrow = "" if stage is chain.stages[0] else "-> "
            return arrow + self.value(stage, indent + len(arrow), indent, 0)

        lines = self.lines(chain, chain.stages, indent, write)
        return "\n".join([head, *lines] if head else lines)

    def run(self, run: tree.Run) -> str:
        one = self.flat(run)
        if one is not None and len(one) <= WIDTH:
            return one
        head = self.comments.heads[run]
        write: Write = lambda clause, indent: (  # noqa: E731
            self.head(run, indent) if clause is head else self.value(clause, indent, indent, 0)
        )
        first, *rest = (
            self.lines(run, (head,), 0, write),
            *self.lines(run, run.clauses, STEP, write),
        )
        return "\n".join([*first, *rest])

    def head(self, run: tree.Run, indent: int) -> str:
        """Models, data, recipe and export on one line, or on one each."""
        words = [("run", f"{run.name.text} = " if run.name else "", run.models)]
        words.append(("on", "", run.data))
        if run.train:
            words.append(("with", "", run.train))
        if run.export is not None:
            words.append(("as", "", (run.export,)))
        pieces = [self.flat(ref) for _, _, refs in words for ref in refs]
        one = " ".join(f"{word} {name}{flat_all(refs)}" for word, name, refs in words)
        if None not in pieces and len(one) <= WIDTH:
            return one
        lines: list[str] = []
        for place, (word, name, refs) in enumerate(words):
            margin = " " * (STEP if place else 0)
            line = f"{margin}{word} {name}"
            for at, ref in enumerate(refs):
                line += ", " if at else ""
                column = len(line.rsplit("\n", 1)[-1])
                line += self.value(ref, column, len(margin), 0)
            lines.append(line)
        return "\n".join(lines)

    def value(self, part: tree.Part, column: int, indent: int, reserve: int) -> str:
        """A value, a stage, a clause: on the line if it fits, else opened."""
        one = self.flat(part)
        if one is not None and column + len(one) + reserve <= WIDTH:
            return one
        if isinstance(part, tree.Invocation) and part.args is not None:
            return written_path(part.path) + self.arguments(part.args, indent)
        if isinstance(part, tree.Items):
            write: Write = lambda each, indent: self.value(each, indent, indent, 1)  # noqa: E731
            return f"[{self.opened(part, part.values, indent, write)}]"
        if isinstance(part, tree.Options):
            write = lambda each, indent: self.value(each, indent, indent, 1)  # noqa: E731
            return f"{{{self.opened(part, part.values, indent, write)}}}"
        if isinstance(part, tree.Except):
            return f"except {self.arguments(part.pattern, indent)}"
        if isinstance(part, tree.Stage):
            role = part.role.text
            if isinstance(part.operator, tree.Axis):
                return role + self.binding(part.operator, column + len(role), indent, reserve, "")
            return f"{role} {self.value(part.operator, column + len(role) + 1, indent, reserve)}"
        return flatten(part)

    def arguments(self, args: tree.Arguments, indent: int) -> str:
        write: Write = lambda each, indent: (  # noqa: E731
            self.field(each, indent, indent, 1, "=")
            if isinstance(each, tree.Field)
            else self.value(each, indent, indent, 1)
        )
        if not args.values and args not in self.comments.last:
            return ""
        return f"({self.opened(args, args.values, indent, write)})"

    def opened(
        self, holder: tree.Part, parts: Sequence[tree.Part], indent: int, write: Write
    ) -> str:
        lines = self.lines(holder, parts, indent + STEP, write, ",")
        return "\n".join(["", *lines, " " * indent])

    def field(self, part: tree.Part, column: int, indent: int, reserve: int, sign: str) -> str:
        assert isinstance(part, tree.Field)
        key = part.key.text
        return key + self.binding(part.binding, column + len(key), indent, reserve, sign)

    def binding(
        self, binding: tree.Bind | tree.Axis, column: int, indent: int, reserve: int, sign: str
    ) -> str:
        if isinstance(binding, tree.Axis):
            return f" in {self.value(binding.values, column + 4, indent, reserve)}"
        return sign + self.value(binding.value, column + len(sign), indent, reserve)


def flatten(part: tree.Part) -> str:
    """A part on one line, whatever its length."""
    if isinstance(part, tree.Items):
        return f"[{flat_all(part.values)}]"
    if isinstance(part, tree.Options):
        return f"{{{flat_all(part.values)}}}"
    if isinstance(part, tree.Range):
        return f"{flatten(part.low)}..{flatten(part.high)}{' log' if part.log else ''}"
    if isinstance(part, tree.Arguments):
        return f"({flat_all(part.values)})" if part.values else ""
    if isinstance(part, tree.Invocation):
        name = written_path(part.path)
        args = flatten(part.args) if part.args else ""
        return f"{name}()" if name.startswith('"') and not args else name + args
    if isinstance(part, tree.Field):
        tight = isinstance(part.binding, tree.Bind)
        return f"{part.key.text}{'=' if tight else ' '}{flatten(part.binding)}"
    if isinstance(part, tree.Bind):
        return flatten(part.value)
    if isinstance(part, tree.Axis):
        return f"in {flatten(part.values)}"
    if isinstance(part, tree.Stage):
        return f"{part.role.text} {flatten(part.operator)}"
    if isinstance(part, tree.Chain):
        return " -> ".join(flatten(stage) for stage in part.stages)
    if isinstance(part, tree.Except):
        return f"except {flatten(part.pattern) or '()'}"
    if isinstance(part, tree.Run):
        return flat_run(part)
    if isinstance(part, tree.Word):
        return part.text
    return part.span.text


def flat_run(run: tree.Run) -> str:
    pieces = [f"run {run.name.text} =" if run.name else "run", flat_all(run.models)]
    pieces += ["on", flat_all(run.data)]
    if run.train:
        pieces += ["with", flat_all(run.train)]
    if run.export is not None:
        pieces += ["as", flatten(run.export)]
    return " ".join([*pieces, *(flatten(clause) for clause in run.clauses)])


def flat_all(parts: Sequence[tree.Part]) -> str:
    return ", ".join(flatten(part) for part in parts)
