"""New items from raw attributes: what they say, as vectors.

Letters: D width, I new items.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.chunks import by_length
from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.histories import TokenRows
from legoc_runtime.ids import as_id, as_list, shown
from legoc_runtime.tokens import Reader, Record


U8 = NDArray[np.uint8]
DIGEST = 16  # bytes


@dataclass(frozen=True, kw_only=True)
class Added:
    """What `Items.add` and `Items.update` did: the ids of new rows, those that were there and were
    given another content, and those whose record had nothing to read, so that they have the vector
    of an empty item.

    ignored: what the records have besides attributes that the model reads or keeps. unseen: values
    of category attributes that it has not seen in training, which it reads as unknown. unchanged:
    those that were there with the same content, whose vector was not computed again.
    """

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    empty: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What `Items.remove` did: the ids that are no longer recommended, and those that were not
    among the items."""

    removed: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What records say: the ids of their attributes with lengths, by input, and of each record how
    many in all [I] and a digest U8[I, 16]."""

    inputs: Mapping[str, tuple[I32, I32]]
    lengths: I32
    digests: U8


def as_records(given: Iterable[Record]) -> tuple[list[Record], list[str]]:
    """Records and their ids. RequestError for what is none, and for an id given twice."""
    records = as_list(given, "the records", 'give a list: [{"id": "X1", ...}]')
    names = [record_id(record) for record in records]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise RequestError(f"`{twice[0]}` is given twice", "give each item once")
    return records, names


def record_id(given: object) -> str:
    """The id of a record that has one."""
    if not isinstance(given, Mapping):
        raise RequestError(f"a record is {shown(given)}", 'give each as in {"id": "X1", ...}')
    name = cast(Record, given).get("id")
    if name is None or name == "":
        raise RequestError("a record has no `id`", 'give each one, as in {"id": "X1", ...}')
    return as_id(name, "the `id` of a record")


def verify_attributes(name: str, record: Record, attributes: Iterable[str], what: str) -> None:
    """RequestError where a record has none of the attributes."""
    if not any(attribute in record for attribute in attributes):
        known = ", ".join(f"`{attribute}`" for attribute in attributes)
        raise RequestError(
            f"the record `{name}` has none of the attributes the model {what}",
            f"give at least one of {known}",
        )


def read_records(reader: Reader, records: Sequence[Record]) -> Read:
    """What the model reads of records. Two of one digest have the same vector."""
    inputs = reader.read(records)
    total = np.zeros(len(records), dtype=np.int32)
    for _, lengths in inputs.values():
        total += lengths
    digests = np.zeros((len(records), DIGEST), dtype=np.uint8)
    for place in range(len(records)):
        content = hashlib.blake2b(digest_size=DIGEST)
        for name in sorted(inputs):
            ids, lengths = inputs[name]
            content.update(f"{name} {lengths[place]} ".encode())
            content.update(ids[place, : lengths[place]].astype("<i4").tobytes())
        digests[place] = np.frombuffer(content.digest(), dtype=np.uint8)
    return Read(inputs=inputs, lengths=total, digests=digests)


def encode_read(graphs: Graphs, read: Read, chosen: NDArray[np.integer]) -> F32:
    """Vectors [P, D] of some of the records [P] that were read."""
    vectors = np.zeros((len(chosen), graphs.parts.plan.width), dtype=np.float32)
    for places in by_length(read.lengths[chosen]):
        rows = chosen[places]
        inputs: dict[str, Any] = {}
        for name, (ids, lengths) in read.inputs.items():
            width = max(int(lengths[rows].max(initial=0)), 1)
            inputs[name] = ids[rows, :width]
            inputs[f"{name}_mask"] = np.arange(width) < lengths[rows, None]
        vectors[places] = graphs.encode_items(inputs)
    return vectors


def read_sequences(reader: Reader, records: Sequence[Record]) -> TokenRows:
    """The tokens of records laid end to end, however the item encoder reads them."""
    tokens, lengths = reader.in_sequence().read(records)["tokens"]
    return TokenRows(tokens=tokens, lengths=lengths)
