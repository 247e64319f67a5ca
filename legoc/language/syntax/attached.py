"""Which part each comment belongs to.

A comment stands before a part, behind one on the same line, or at the end inside a bracket or the
file. A comment in a place that has no line of its own, such as behind a `=`, goes before the part
that holds it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from legoc.language.diagnosing.document import Span
from legoc.language.syntax import tree
from legoc.language.syntax.parse import Parsed


@dataclass(frozen=True, eq=False)
class Holder:
    """What can open into lines: the file, a block, a list, parentheses, a pipeline, a run."""

    part: object
    span: Span
    lines: Sequence[tree.Part]


@dataclass(frozen=True, eq=False)
class Attached:
    """Comments by the part they belong to; `last` by the holder they end. `heads` stand for the
    first line of each run, which is no part of the tree."""

    before: dict[object, list[Span]] = field(default_factory=lambda: defaultdict(list))
    behind: dict[object, list[Span]] = field(default_factory=lambda: defaultdict(list))
    last: dict[object, list[Span]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[tree.Run, tree.Word] = field(default_factory=dict[tree.Run, tree.Word])

    def inside(self, part: tree.Part) -> bool:
        """Whether a comment stands within a part, so that it must open."""
        if part in self.last:
            return True
        for below in tree.walk(part):
            lines = (below, self.heads[below]) if isinstance(below, tree.Run) else (below,)
            for line in lines:
                if line is not part and (line in self.before or line in self.behind):
                    return True
            if below in self.last:
                return True
        return False


def attach(parsed: Parsed) -> Attached:
    """Give every comment its part."""
    found = Attached()
    holders = find_holders(parsed, found)
    for comment in parsed.comments:
        inside = [h for h in holders if h.span.start <= comment.start < h.span.end]
        holder = min(inside or holders[:1], key=lambda h: h.span.end - h.span.start)
        place(comment, holder, found)
    return found


def place(comment: Span, holder: Holder, found: Attached) -> None:
    text = comment.document.text
    before = [line for line in holder.lines if line.span.end <= comment.start]
    around = [line for line in holder.lines if line.span.start < comment.start < line.span.end]
    after = [line for line in holder.lines if line.span.start >= comment.end]
    if around:
        found.before[around[0]].append(comment)
    elif before and "\n" not in text[before[-1].span.end : comment.start]:
        found.behind[before[-1]].append(comment)
    elif after:
        found.before[after[0]].append(comment)
    else:
        found.last[holder.part].append(comment)


def find_holders(parsed: Parsed, found: Attached) -> list[Holder]:
    """Everything that can open into lines, the file first."""
    root = parsed.tree
    lines = (root.bare,) if root.bare is not None else root.items
    holders = [Holder(root, root.span, lines)]
    for part in tree.walk(root):
        if isinstance(part, tree.Block):
            holders.append(Holder(part, part.span, part.fields))
        elif isinstance(part, tree.Items | tree.Options | tree.Arguments):
            holders.append(Holder(part, part.span, part.values))
        elif isinstance(part, tree.Declared) and isinstance(part.body, tree.Chain):
            # What stands behind `model NAME =` belongs to the first stage.
            span = Span(part.span.document, part.name.span.end, part.span.end)
            holders.append(Holder(part.body, span, part.body.stages))
        elif isinstance(part, tree.Chain) and part is root.bare:
            holders.append(Holder(part, part.span, part.stages))
        elif isinstance(part, tree.Use) and part.names:
            holders.append(Holder(part, part.names[0].span.to(part.span), part.names))
        elif isinstance(part, tree.Run):
            last = (*part.data, *part.train, *((part.export,) if part.export else ()))[-1]
            head = Span(part.span.document, part.span.start, last.span.end)
            found.heads[part] = tree.Word(span=head, text="")
            holders.append(Holder(part, part.span, (found.heads[part], *part.clauses)))
    return holders
