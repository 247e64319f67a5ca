"""`--set NAME=value`: what one could write in parentheses, from the command line.

Its document is called `./--set`, so that a path in it is relative to the working directory as a
path in a file is to that file's folder.
"""

import re
from dataclasses import dataclass

from legoc.language.declaring.catalog import catalog_or_empty
from legoc.language.declaring.declare import Declaration, Kind
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic, refusal
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.points import Given
from legoc.language.resolving.template import (
    Called,
    Leaf,
    PipelineTemplate,
    RecordTemplate,
    Sweep,
    Template,
)
from legoc.language.syntax import tree
from legoc.language.syntax.parse import parse_value


KEY = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*=", re.ASCII)
PATHS = ("str", "file", "folder", "model")


@dataclass(frozen=True, eq=False)
class Override:
    """One `--set`; the value begins at offset `start` of its document."""

    document: Document
    key: tree.Path
    start: int

    @property
    def rest(self) -> Span:
        """Everything after the `=`."""
        return Span(self.document, self.start, len(self.document.text))

    def inside(self, depth: int) -> tree.Path:
        """The key without its first words."""
        words = self.key.words[depth:]
        return tree.Path(span=words[0].span.to(words[-1].span), words=words)


def read_override(text: str) -> "Override | Diagnostic":
    """Take `NAME=value` apart."""
    document = Document("./--set", text)
    found = KEY.match(text)
    if found is None:
        span = Span(document, 0, len(text))
        return refusal(
            "E0102", span, f"`--set {text}` sets nothing", "not of the form NAME=value",
            "write `--set hidden=128`, or a dotted name: `--set train.lr=1e-4`",
        )  # fmt: skip
    words: list[tree.Word] = []
    offset = found.start(1)
    for part in found.group(1).split("."):
        span = Span(document, offset, offset + len(part))
        words.append(tree.Word(span=span, text=part))
        offset += len(part) + 1
    key = tree.Path(span=words[0].span.to(words[-1].span), words=tuple(words))
    if not text[found.end() :].strip():
        return refusal(
            "E0102", key.span, f"`--set {key.text}=` has no value", "no value follows",
            f"write `--set {key.text}=VALUE`",
        )  # fmt: skip
    return Override(document, key, found.end())


def as_text(override: Override) -> Leaf:
    """The value as it stands: a path or other text, in quotes or not."""
    span = override.rest
    text = span.text
    if len(text) > 1 and text[0] == text[-1] == '"':
        parsed = parse_value(override.document, override.start)
        if isinstance(parsed, tree.Text):
            return Leaf(Given(parsed.value, parsed.span))
    return Leaf(Given(text, span))


def takes_text(owner: RecordTemplate | PipelineTemplate, key: tree.Path) -> bool:
    """Whether the parameter at a key takes text, a file or a folder: then the shell's word is the
    value. Told from the declarations; what they do not know is read as a value."""
    kind = kind_at(owner, key)
    if kind is not None and kind.name == "list":
        kind = kind.element
    return kind is not None and kind.name in PATHS


def kind_at(owner: RecordTemplate | PipelineTemplate, key: tree.Path) -> Kind | None:
    head, *rest = key.words
    if isinstance(owner, RecordTemplate):
        declared: Declaration | None = RECORDS[owner.kind]
        entry = owner.fields.get(head.text)
        below: Template | None = entry.template if entry else None
        role = None
    else:
        declared = None
        stages = [stage for stage in owner.stages if stage.role == head.text]
        below = stages[0].template if stages else None
        role = head.text
    if role is None:
        param = declared.param(head.text) if declared else None
        if param is None or not rest:
            return param.kind if param else None
        role = param.kind.role
    for place, word in enumerate(rest):
        while isinstance(below, Sweep):
            below = below.options[0] if below.options else None
        if not isinstance(below, Called) or role is None:
            return None
        declared = catalog_or_empty().get(role, below.name)
        param = declared.param(word.text) if declared else None
        if param is None or place == len(rest) - 1:
            return param.kind if param else None
        entry = below.args.get(word.text)
        below, role = (entry.template if entry else None), param.kind.role
    return None
