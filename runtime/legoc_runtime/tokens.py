"""How an item becomes ids: the one place where attributes turn into tokens.

`legoc.data` calls it in training and the runtime calls it when serving, so the two cannot differ. A
*reading* is a JSON value beside files it names, relative to a folder:

    {"layout": "fields" | "sequence", "rows": 9116, "padding": 0, "unknown": 1, "separator": 2,
     "parts": [{"name": "title", "kind": "text", "length": 30,
                "tokenizer": "tokenizers/words/tokenizer.json"},
               {"name": "category", "kind": "category", "length": 1,
                "vocabulary": "vocabularies/category.json"},
               {"name": "price", "kind": "number", "length": 1,
                "vocabulary": "vocabularies/price.json"},
               {"text": "a prompt fragment"}, {"ids": [102]}]}

Every id lies in one space of `rows` ids. A part with a tokenizer is read as text, whatever its kind
(language models read categories and numbers as text). A part may say how its values are written:
what stands `between` those of a list, the `decimal` sign, and words that say `missing`. A
`separator` of null sets none. Prompt fragments and literal `ids` belong to items that say
something: one whose attributes are all empty has no token at all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import BundleError
from legoc_runtime.paths import open_file
from legoc_runtime.ragged import Ragged, lay
from legoc_runtime.values import PLAIN, Notation, read_categories, read_number, read_text
from legoc_runtime.words import Words


I32 = NDArray[np.int32]
Record = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One attribute of a reading, or what is the same for every item: a prompt fragment (`text`) or
    ids as they are (`literal`)."""

    name: str
    length: int
    kind: str = "text"
    words: Words | None = None
    text: str | None = None
    literal: tuple[int, ...] | None = None
    values: Mapping[str, int] | None = None
    edges: NDArray[np.float64] | None = None
    first: int = 0
    notation: Notation = PLAIN

    @property
    def fixed(self) -> bool:
        """Whether the part is the same for every item."""
        return self.text is not None or self.literal is not None

    def repeat(self, real: NDArray[np.bool_]) -> Ragged:
        """The ids of a fixed part, for the items that are real."""
        ids = self.literal
        if ids is None:
            assert self.words is not None
            assert self.text is not None
            ids = self.words.encode([self.text])[0]
        values = np.tile(np.asarray(ids, dtype=np.int32), int(real.sum()))
        return Ragged(values=values, lengths=real * np.int64(len(ids)))

    def read(self, records: Sequence[Record], unknown: int) -> Ragged:
        """The ids of an attribute for every record."""
        given = [record.get(self.name) for record in records]
        if self.words is not None:
            texts = [self.write(value) for value in given]
            return Ragged.of([ids[: self.length] for ids in self.words.encode(texts)])
        if self.values is not None:
            known = self.values
            every = (read_categories(self.name, value, self.notation) for value in given)
            found = (values[: self.length] for values in every)
            return Ragged.of([[known.get(value, unknown) for value in row] for row in found])
        return self.bins([read_number(self.name, value, self.notation) for value in given])

    def spell(self, record: Record, ids: Sequence[int]) -> list[str]:
        """What each of the ids of a record stands for: a token as its tokenizer writes it, a value
        of a category, a number."""
        value = record.get(self.name)
        if self.words is not None:
            return self.words.spell(ids)
        if self.values is not None:
            return list(read_categories(self.name, value, self.notation))[: len(ids)]
        return [str(value)] * len(ids)

    def write(self, value: object) -> str:
        """A value as a language model reads it: what a category or a number says is told first, so
        that all ways to write it are one text."""
        if self.kind == "category":
            value = read_categories(self.name, value, self.notation)
        elif self.kind == "number":
            value = read_number(self.name, value, self.notation)
        return read_text(self.name, value, self.notation)

    def bins(self, numbers: Sequence[float | None]) -> Ragged:
        """Bin b holds the numbers that b edges are below or equal to; a missing number has none."""
        assert self.edges is not None
        there = np.array([number is not None for number in numbers], dtype=bool)
        values = np.array([number for number in numbers if number is not None], dtype=np.float64)
        bins = np.searchsorted(self.edges, values, side="right")
        return Ragged(values=(self.first + bins).astype(np.int32), lengths=there.astype(np.int64))


class Reader:
    """Reads records into padded ids. Immutable, so any number of threads may share one."""

    def __init__(
        self,
        *,
        layout: str,
        rows: int,
        padding: int,
        unknown: int,
        separator: int | None,
        parts: Sequence[Part],
    ) -> None:
        self.layout = layout
        self.rows = rows
        self.padding = padding
        self.unknown = unknown
        self.separator = separator
        self.parts = tuple(parts)

    @classmethod
    def load(cls, folder: Path, reading: Mapping[str, Any]) -> "Reader":
        """The reader of a reading whose files lie in `folder`. Raises as `of`."""

        def read(name: str) -> bytes:
            with open_file(Path(folder), name) as file:
                return file.read()

        return cls.of(reading, read)

    @classmethod
    def of(cls, reading: Mapping[str, Any], read: Callable[[str], bytes]) -> "Reader":
        """The reader of a reading; `read` gives what the files hold that it names.

        Raises BundleError for a reading that is not of this form or files that do not fit it. The
        files are read now; the tokenizers themselves are made when a text is first read.
        """
        try:
            layout, rows = reading["layout"], int(reading["rows"])
            padding, unknown = int(reading["padding"]), int(reading["unknown"])
            given = reading.get("separator")
            separator = None if given is None else int(given)
            if layout not in ("fields", "sequence"):
                raise ValueError(f"layout {layout!r}")
            tokenizers: dict[str, Words] = {}
            parts = [load_part(read, part, tokenizers, rows) for part in reading["parts"]]
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise BundleError(
                f"the reading is not of the form this runtime knows ({error})",
                "export the bundle again with the version of legoc that is installed",
            ) from error
        if layout == "fields" and any(part.fixed for part in parts):
            raise BundleError(
                "a reading by fields has a prompt fragment", "export the bundle again"
            )
        return cls(
            layout=layout, rows=rows, padding=padding, unknown=unknown, separator=separator,
            parts=link_prompts(parts, tokenizers),
        )  # fmt: skip

    def in_sequence(self) -> "Reader":
        """The same reading with all attributes laid end to end."""
        return Reader(
            layout="sequence", rows=self.rows, padding=self.padding, unknown=self.unknown,
            separator=self.separator, parts=self.parts,
        )  # fmt: skip

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes in reading order."""
        return tuple(part.name for part in self.parts if not part.fixed)

    def read(self, records: Sequence[Record]) -> dict[str, tuple[I32, I32]]:
        """Ids and lengths of I records, per matrix: I32[I, L] padded on the right, and I32[I].

        The matrices are the attributes for the layout `fields` and `tokens` for `sequence`; L is
        the longest row, at least 1. An attribute that is missing, null or empty has no token; in
        `sequence` a separator follows each attribute that has tokens, and prompt fragments stand
        only where some attribute has any. Raises RequestError for a value of the wrong kind, and
        for texts where the package tokenizers is absent.
        """
        return self.arrange(self.read_parts(records), len(records))

    @property
    def read_by(self) -> list[Part]:
        """The parts that read an attribute, in reading order."""
        return [part for part in self.parts if not part.fixed]

    def read_parts(self, records: Sequence[Record]) -> list[Ragged]:
        """The ids of I records, per attribute."""
        return [self.bounded(part, part.read(records, self.unknown)) for part in self.read_by]

    def arrange(self, read: Sequence[Ragged], count: int) -> dict[str, tuple[I32, I32]]:
        """What `read` gives, of so many records by the ids of their attributes."""
        if self.layout == "fields":
            rows = {part.name: ids for part, ids in zip(self.read_by, read, strict=True)}
        else:
            rows = {"tokens": self.lay_out(read, count)}
        return {
            name: (ids.pad(self.padding), ids.lengths.astype(np.int32))
            for name, ids in rows.items()
        }

    def unseen(self, records: Sequence[Record]) -> dict[str, tuple[str, ...]]:
        """The values of category attributes that have no id of their own, by attribute."""
        found: dict[str, tuple[str, ...]] = {}
        for part in self.parts:
            if part.values is not None and part.words is None:
                strange = {
                    value
                    for record in records
                    for value in read_categories(part.name, record.get(part.name), part.notation)
                } - part.values.keys()
                if strange:
                    found[part.name] = tuple(sorted(strange))
        return found

    def lay_out(self, read: Sequence[Ragged], count: int) -> Ragged:
        """All parts of each item end to end; read: the attributes' ids."""
        real = np.zeros(count, dtype=bool)
        for ids in read:
            real |= ids.lengths > 0
        closed = iter(ids if self.separator is None else ids.ended(self.separator) for ids in read)
        return lay(
            self.bounded(part, part.repeat(real)) if part.fixed else next(closed)
            for part in self.parts
        )

    def bounded(self, part: Part, ids: Ragged) -> Ragged:
        """The same ids, none of which lies outside the token table."""
        if int(ids.values.max(initial=0)) >= self.rows:
            raise BundleError(
                f"the tokenizer of `{part.name or part.text}` has ids beyond the {self.rows} "
                "rows of the token table",
                "use the tokenizer the model was trained with",
            )
        return ids


def load_part(
    read: Callable[[str], bytes], part: Mapping[str, Any], tokenizers: dict[str, Words], rows: int
) -> Part:
    """One part; tokenizers of the same file are shared."""
    words = None
    if "ids" in part:
        literal = tuple(int(place) for place in part["ids"])
        if any(not 0 <= place < rows for place in literal):
            raise ValueError(f"the ids {literal} lie beyond the {rows} rows")
        return Part(name="", length=0, literal=literal)
    if "tokenizer" in part:
        file = str(part["tokenizer"])
        words = tokenizers.get(file) or Words(file, read(file))
        tokenizers[file] = words
    if "text" in part:
        return Part(name="", length=0, words=words, text=str(part["text"]))
    name, kind, length = str(part["name"]), part["kind"], int(part["length"])
    notation = Notation.from_json(part)
    if words is not None:
        return Part(name=name, length=length, kind=kind, words=words, notation=notation)
    if kind == "text":
        raise ValueError(f"text `{name}` without a tokenizer")
    content = json.loads(read(str(part["vocabulary"])).decode("utf-8"))
    if kind == "category":
        values = {str(value): int(place) for value, place in content["values"].items()}
        if any(not 0 <= place < rows for place in values.values()):
            raise ValueError(f"`{part['vocabulary']}` has ids beyond the {rows} rows")
        return Part(name=name, length=length, values=values, notation=notation)
    if kind != "number":
        raise ValueError(f"kind {kind!r} of `{name}`")
    edges = np.asarray(content["edges"], dtype=np.float64)
    first = int(content["first"])
    if edges.ndim != 1 or not bool(np.all(np.diff(edges) >= 0)):
        raise ValueError(f"the edges of `{part['vocabulary']}` do not ascend")
    if not 0 <= first <= first + len(edges) < rows:
        raise ValueError(f"`{part['vocabulary']}` has ids beyond the {rows} rows")
    return Part(name=name, length=length, edges=edges, first=first, notation=notation)


def link_prompts(parts: Sequence[Part], tokenizers: Mapping[str, Words]) -> list[Part]:
    """Prompt fragments are read by the tokenizer of the attributes."""
    shared = next(iter(tokenizers.values()), None)
    linked: list[Part] = []
    for part in parts:
        if part.text is not None and part.words is None:
            if shared is None:
                raise BundleError(
                    f"the prompt {part.text!r} has no tokenizer", "export the bundle again"
                )
            part = Part(name="", length=0, words=shared, text=part.text)
        linked.append(part)
    return linked
