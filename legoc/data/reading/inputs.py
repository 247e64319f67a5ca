"""Rows of the item encoder's inputs: token matrices, or the items themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import I32
from legoc.language.ir.plan import Port


Array = NDArray[Any]


class ItemInputs(Protocol):
    """Rows of the item encoder's inputs: token matrices, item ids, or stored states.

    `lengths` [N] is the work of a row (its real tokens), for length buckets; row 0 is the padding
    item. `rows` gives the graph's inputs by name (ids int32, masks bool, states float), cut to the
    longest of these rows, at least one position long.
    """

    ports: tuple[Port, ...]
    lengths: I32

    def rows(self, items: I32) -> Mapping[str, Array]: ...


@dataclass(frozen=True, kw_only=True)
class TokenTable:
    """Token matrices, one per attribute (`fields`) or one in all (`sequence`).

    matrices: name -> ids I32[N, L] padded on the right and their lengths I32[N]; row 0 is empty.
    The masks come from the lengths, never from the ids. The arrays may be memory-mapped.
    """

    ports: tuple[Port, ...]
    matrices: Mapping[str, tuple[I32, I32]]
    lengths: I32

    def rows(self, items: I32) -> Mapping[str, Array]:
        """`<name>` I32[I, L] and `<name>_mask` Bool[I, L] of some items, each matrix cut to the
        longest of these rows, at least one position long."""
        found: dict[str, Array] = {}
        for name, (ids, lengths) in self.matrices.items():
            real = lengths[items]
            width = max(int(real.max(initial=0)), 1)
            found[name] = np.asarray(ids[items, :width])
            found[f"{name}_mask"] = np.arange(width) < real[:, None]
        return found


@dataclass(frozen=True, kw_only=True)
class IdTable:
    """Items that are nothing but their place: `item` I32[I]."""

    lengths: I32
    ports: tuple[Port, ...] = (Port(name="item", dtype="int64", dims=("item",)),)

    @staticmethod
    def of(items: int) -> "IdTable":
        """The table of N rows, row 0 included."""
        return IdTable(lengths=np.ones(items, dtype=np.int32))

    def rows(self, items: I32) -> Mapping[str, Array]:
        return {"item": np.asarray(items, dtype=np.int32)}


@dataclass(frozen=True, kw_only=True)
class JointInputs:
    """What two stages read of the same items: the content stage `content`, the flatten stage the
    `tokens` of each item in one sequence. Names that both have mean the same."""

    content: ItemInputs
    tokens: TokenTable

    @property
    def ports(self) -> tuple[Port, ...]:
        return (*self.content.ports, *self.tokens.ports)

    @property
    def lengths(self) -> I32:
        return self.tokens.lengths

    def rows(self, items: I32) -> Mapping[str, Array]:
        """The inputs of both, by name."""
        return {**self.content.rows(items), **self.tokens.rows(items)}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Some rows of an item table as a table of their own, repetitions and all: `origin` says which
    row each one is, and row 0 is the padding item."""

    inputs: ItemInputs
    origin: I32

    @property
    def ports(self) -> tuple[Port, ...]:
        return self.inputs.ports

    @cached_property
    def lengths(self) -> I32:
        return np.asarray(self.inputs.lengths)[self.origin]

    def rows(self, items: I32) -> Mapping[str, Array]:
        return self.inputs.rows(self.origin[items])
