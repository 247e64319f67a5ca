"""The rows of a bundle's tables by their ids: items with their vectors, and users.

Letters: N items with row 0, D width, L tokens.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.graphs import F32, I32
from legoc_runtime.histories import TokenRows
from legoc_runtime.ids import Id, as_ids
from legoc_runtime.tensors import parse_tensors


LARGEST = 1 << 31


@dataclass(frozen=True, kw_only=True)
class Table:
    """The items at one moment: ids (row 0 is the padding item, with the empty id), vectors, and
    for user encoders that flatten what the items say."""

    ids: tuple[str, ...]
    vectors: F32
    tokens: TokenRows | None = None

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.ids) if place}


def extend(
    table: Table, names: Sequence[str], vectors: F32, tokens: TokenRows | None = None
) -> tuple[Table, tuple[str, ...]]:
    """A new table with these items, and the names of those that were there already. tokens: of the
    items, for a table that has them."""
    known = [table.places.get(name, 0) for name in names]
    fresh = [place for place, row in enumerate(known) if not row]
    grown = np.concatenate([table.vectors, vectors[fresh]])
    for place, row in enumerate(known):
        if row:
            grown[row] = vectors[place]
    ids = (*table.ids, *(names[place] for place in fresh))
    replaced = tuple(name for name, row in zip(names, known, strict=True) if row)
    every = None
    if table.tokens is not None and tokens is not None:
        new = {place: len(table.ids) + number for number, place in enumerate(fresh)}
        rows = [row or new[place] for place, row in enumerate(known)]
        every = table.tokens.with_rows(len(ids), rows, tokens)
    return Table(ids=ids, vectors=grown, tokens=every), replaced


def load_table(bundle: Bundle) -> Table:
    """The item table of a verified bundle. Raises BundleError where the manifest differs."""
    parts = bundle.parts
    tensors = parse_tensors(bundle.read(parts.items), parts.items)
    again = "export the bundle again"
    missing = {"vectors", "ids", "offsets"} - tensors.keys()
    if missing:
        raise BundleError(f"`{parts.items}` has no {', '.join(sorted(missing))}", again)
    vectors, offsets = tensors["vectors"], tensors["offsets"]
    if vectors.shape != (parts.rows, parts.plan.width) or vectors.dtype != np.float32:
        raise BundleError(
            f"`{parts.items}` holds {vectors.dtype}{list(vectors.shape)}, the manifest says "
            f"float32[{parts.rows}, {parts.plan.width}]",
            again,
        )
    if len(vectors) and vectors[0].any():
        raise BundleError(f"row 0 of `{parts.items}` is not zero", again)
    ids = read_ids(parts.items, tensors["ids"], offsets, parts.rows)
    tokens = None if parts.tokens is None else read_tokens(bundle, parts.tokens, parts.rows)
    return Table(ids=ids, vectors=vectors, tokens=tokens)


def read_tokens(bundle: Bundle, file: str, rows: int) -> TokenRows:
    """The tokens of every item. Raises BundleError where they do not fit."""
    tensors = parse_tensors(bundle.read(file), file)
    tokens, lengths = tensors.get("tokens"), tensors.get("lengths")
    if (
        tokens is None or lengths is None or tokens.ndim != 2 or tokens.dtype != np.int32
        or lengths.dtype != np.int32 or not len(tokens) == len(lengths) == rows
        or lengths.min(initial=0) < 0 or lengths.max(initial=0) > tokens.shape[1]
    ):  # fmt: skip
        raise BundleError(
            f"`{file}` does not hold the tokens of {rows} items", "export the bundle again"
        )
    return TokenRows(tokens=tokens, lengths=lengths)


def read_ids(file: str, content: Any, offsets: Any, rows: int) -> tuple[str, ...]:
    """The ids of an item table: UTF-8 end to end, and where each begins."""
    sound = (
        content.dtype == np.uint8
        and offsets.dtype == np.int64
        and offsets.shape == (rows + 1,)
        and bool((np.diff(offsets) >= 0).all())
        and int(offsets[0]) == 0
        and int(offsets[-1]) == content.size
    )
    text = content.tobytes()
    places = offsets.tolist()
    try:
        if not sound:
            raise ValueError("the offsets of its ids do not fit")
        ids = tuple(text[start:stop].decode() for start, stop in pairwise(places))
        if len(set(ids)) != len(ids):
            raise ValueError("an id stands twice")
    except ValueError as error:
        raise BundleError(f"`{file}` is damaged ({error})", "export the bundle again") from None
    return ids


def candidate_rows(table: Table, ids: Iterable[Id]) -> I32:
    """[P] rows of candidates. Raises RequestError where one is not among the items."""
    names = as_ids(ids, "the candidates")
    unknown = [name for name in names if not table.places.get(name)]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown[:3])
        raise RequestError(
            f"{len(unknown)} of {len(names)} candidates are not among the items: {listed}",
            "add them from their content with `items.add`, or leave them out",
        )
    return np.array([table.places[name] for name in names], dtype=np.int32)


def read_users(bundle: Bundle, file: str) -> dict[str, int]:
    """The rows of users by their ids."""
    again = "export the bundle again"
    try:
        values = json.loads(bundle.read(file).decode("utf-8"))["values"]
        rows = {str(name): int(row) for name, row in values.items()}
        if not all(0 < row < LARGEST for row in rows.values()):
            raise ValueError("a row lies beyond any table")
        return rows
    except (
        ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError
    ) as error:  # fmt: skip
        raise BundleError(f"`{file}` is not a list of users ({error!r})", again) from None
