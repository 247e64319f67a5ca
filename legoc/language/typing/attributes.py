"""`content` and `user` lists: attributes with their kind and length, and prompt text between."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.spec import Prompt
from legoc.language.resolving.points import Given, Settings
from legoc.language.typing import wording_data


if TYPE_CHECKING:
    from legoc.language.typing.columns import Column, Header

BINS = 10
KEYS = ("item_id", "user_id")
LENGTH_NAMES = {"text": "max", "number": "bins", "category": "values"}
LEAST = {"text": 1, "number": 2, "category": 1}
PIECE = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<name>[^\W\d]\w*))(?P<called>\((?P<n>[0-9]*)\))?'
)


class Columns:
    """The attributes a data record may name: the source's, and those of its tables.

    header: the attributes of a source that learns them from its files; None where there are none.
    key: that of the attributes meant; tables of the other key bring none of them. `open` says that
    a table could not be read, so any further name must be believed. made: the columns of tables
    that a generation writes, by path.
    """

    def __init__(
        self,
        declared: Sequence[Attribute],
        tables: Sequence[str],
        header: "Header | None" = None,
        *,
        key: str = "item_id",
        open: bool = False,
        made: "Mapping[str, Header] | None" = None,
    ) -> None:
        self.key = key
        self.declared = {attribute.name: attribute for attribute in declared}
        self.joined: dict[str, Column] = dict(header or {})
        # The settings of a source that say what its columns are; nothing says it of a joined table.
        self.told = frozenset(self.joined)
        self.open = open
        if tables:
            self.join(tables, made or {})

    def join(self, tables: Sequence[str], made: "Mapping[str, Header]") -> None:
        from legoc.language.typing.columns import columns

        for table in tables:
            found = made[table] if table in made else columns(Path(table))
            self.open = self.open or found is None
            other = [key for key in KEYS if key != self.key]
            if found and not (self.key not in found and any(key in found for key in other)):
                self.joined.update(found)

    @property
    def names(self) -> list[str]:
        return [*self.declared, *(n for n in self.joined if n not in KEYS)]

    def find(self, name: str, length: int | None) -> Attribute | None:
        """The attribute of this name as its notation asks for it."""
        if name in self.declared:
            return self.declared[name]
        column = self.joined.get(name)
        kind = column.kind if column is not None else "word" if self.open else None
        match kind:
            case None:
                return None
            case "number":
                return Attribute(name=name, kind="number", length=BINS)
            case "word" if length is not None:
                return Attribute(name=name, kind="text", length=1)
            case _:
                values = column.length if column is not None and kind == "category" else 1
                return Attribute(name=name, kind="category", length=values)

    def takes_length(self, attribute: Attribute) -> bool:
        """Whether a length may be written: a category known to have one value takes none."""
        own = attribute.name in self.declared
        return attribute.kind != "category" or not own or attribute.length > 1

    def doubt(self, name: str, written: bool, span: Span) -> Diagnostic | None:
        """What must be asked of a column whose values leave open what it is."""
        column = None if name in self.declared else self.joined.get(name)
        if column is None:
            return None
        told = name in self.told
        if column.odd:
            return wording_data.odd_numbers(name, column.odd, span, told=told)
        if column.barred and (column.mostly_barred or not written):
            known = column.notation.separator is not None
            return wording_data.looks_like_lists(name, column.barred, span, told=told, known=known)
        if column.speaks and column.kind == "word" and not written:
            return wording_data.looks_like_text(name, column.words, span, told=told)
        return None


def read_list(
    given: Sequence[Given], known: Columns, source: Declaration, *, prompts: bool
) -> tuple[tuple[Attribute | Prompt, ...] | None, list[Diagnostic]]:
    """The parts of a list as written, or None with what is wrong."""
    parts: list[Attribute | Prompt] = []
    problems: list[Diagnostic] = []
    seen: dict[str, Span] = {}
    texts: list[Given] = []
    for each in given:
        match each.value:
            case str() if prompts:
                parts.append(Prompt(text=each.value))
                texts.append(each)
            case Settings():
                found = read_attribute(each.value, known, source, problems)
                if found is not None:
                    if found.name in seen:
                        problems.append(
                            wording_data.attribute_twice(found.name, seen[found.name], each.span)
                        )
                    seen.setdefault(found.name, each.span)
                    parts.append(found)
            case _:
                problems.append(wording_data.not_an_attribute(each, prompts))
    problems += (
        wording_data.named_as_mask(name, first, seen[f"{name}_mask"])
        for name, first in seen.items()
        if f"{name}_mask" in seen
    )
    broken = bool(problems)
    for each in texts:
        if each.value in known.names and each.value not in seen:
            problems.append(wording_data.prompt_names_attribute(str(each.value), each.span))
    return (None if broken else tuple(parts)), problems


def read_attribute(
    settings: Settings, known: Columns, source: Declaration, problems: list[Diagnostic]
) -> Attribute | None:
    """One attribute, its length written or its own."""
    name = settings.name
    written: list[tuple[str | None, Given]] = [(None, given) for given in settings.positional]
    written += [(argument.name, argument.given) for argument in settings.args.values()]
    attribute = known.find(name, 1 if written else None)
    if attribute is None:
        problems.append(wording_data.no_attribute(name, settings.span, source, known.names))
        return None
    if doubt := known.doubt(name, bool(written), settings.span):
        problems.append(doubt)
        return None
    if not written:
        return attribute
    label = LENGTH_NAMES[attribute.kind]
    given = written[0][1]
    if not known.takes_length(attribute):
        problems.append(wording_data.takes_no_length(attribute, given.span))
        return None
    if len(written) > 1 or written[0][0] not in (None, label):
        at = settings.span if len(written) > 1 else given.span
        problems.append(wording_data.one_length(attribute, label, at))
        return None
    length = given.value
    if not isinstance(length, int) or isinstance(length, bool) or length < LEAST[attribute.kind]:
        problems.append(wording_data.bad_length(attribute, given.span, LEAST[attribute.kind]))
        return None
    return Attribute(name=name, kind=attribute.kind, length=length)


def read_default(text: str, declared: Sequence[Attribute]) -> tuple[Attribute | Prompt, ...]:
    """The parts of a declaration's default list. ValueError where it is not one."""
    known: Mapping[str, Attribute] = {attribute.name: attribute for attribute in declared}
    body = text.strip()
    if not (body.startswith("[") and body.endswith("]")):
        raise ValueError(f"{text!r}: a list of attributes stands in brackets")
    body = body[1:-1]
    parts: list[Attribute | Prompt] = []
    at = 0
    while body[at:].strip(" ,\n"):
        found = PIECE.match(body, at)
        if found is None:
            raise ValueError(f"{text!r}: no attribute at {body[at:]!r}")
        at = found.end()
        if body[at:].lstrip().startswith(","):
            at = body.index(",", at) + 1
        if found["name"] is None and found["called"] is None:
            parts.append(Prompt(text=json.loads(found["text"])))
            continue
        name = found["name"] or json.loads(found["text"])
        attribute = known.get(name)
        if attribute is None:
            raise ValueError(f"{text!r}: {name!r} is not declared")
        length = int(found["n"]) if found["n"] else attribute.length
        parts.append(Attribute(name=attribute.name, kind=attribute.kind, length=length))
    return tuple(parts)
