"""What is known of users beside their clicks: attributes as ids, stored by row or read from a
record.

Letters: N users of the table with row 0, U users, L values of an attribute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.ids import shown
from legoc_runtime.tensors import parse_tensors
from legoc_runtime.tokens import Part, Reader, Record


I32 = NDArray[np.int32]
# The ids of each attribute of one user.
Values = tuple[I32, ...]

PORT = "profile_"
AGAIN = "export the bundle again"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What records say of users. values: by attribute. something: whether any of it is known to the
    model. ignored, unseen: as of `Added`."""

    values: Values
    something: bool
    ignored: tuple[str, ...] = ()
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


class Profiles:
    """The attributes of users. Immutable.

    ids: I32[N, L] of each attribute, in the order of the reader's; lengths: I32[N] of each, how
    many are real.
    """

    def __init__(self, reader: Reader, ids: Sequence[I32], lengths: Sequence[I32]) -> None:
        self.reader = reader
        self.ids = tuple(ids)
        self.lengths = tuple(lengths)

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.reader.attributes

    @property
    def parts(self) -> list[Part]:
        return self.reader.read_by

    def known(self, row: int) -> Values:
        """What the bundle knows of a user."""
        return tuple(
            ids[row, : int(lengths[row])]
            for ids, lengths in zip(self.ids, self.lengths, strict=True)
        )

    def by_rows(self, users: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
        """Inputs of the user encoder for users [U] by their rows. RequestError for a row there is
        not."""
        rows = len(self.lengths[0])
        if users.size and not 0 <= int(users.min()) <= int(users.max()) < rows:
            raise RequestError(
                f"`user` has rows from {int(users.min())} to {int(users.max())}, the bundle {rows}",
                "name users by their ids",
            )
        inputs: dict[str, NDArray[Any]] = {}
        for part, ids, lengths in zip(self.parts, self.ids, self.lengths, strict=True):
            inputs[f"{PORT}{part.name}"] = ids[users]
            inputs[f"{PORT}{part.name}_mask"] = np.arange(ids.shape[1]) < lengths[users, None]
        return inputs

    def by_values(self, users: Sequence[Values]) -> dict[str, NDArray[Any]]:
        """Inputs of the user encoder for users [U] by what is known of them."""
        inputs: dict[str, NDArray[Any]] = {}
        for place, part in enumerate(self.parts):
            ids = np.zeros((len(users), part.length), dtype=np.int32)
            mask = np.zeros(ids.shape, dtype=bool)
            for row, values in enumerate(users):
                real = values[place]
                ids[row, : len(real)], mask[row, : len(real)] = real, True
            inputs[f"{PORT}{part.name}"], inputs[f"{PORT}{part.name}_mask"] = ids, mask
        return inputs

    def read(self, given: object, known: Values) -> Told:
        """What a record says of a user; what it does not name stays as it is known. Raises
        RequestError for what is no record, for one without an attribute the model reads, and for a
        value of the wrong kind."""
        names = self.attributes
        example = 'give an object, as in {"age": 31}'
        if not isinstance(given, Mapping):
            raise RequestError(f"the profile is {shown(given)}", example)
        record = cast(Record, given)
        strange = tuple(sorted(str(name) for name in record if name not in names))
        if strange and len(strange) == len(record):
            listed = ", ".join(f"`{name}`" for name in names)
            raise RequestError(
                f"the profile has none of the attributes the model reads: `{strange[0]}`",
                f"give at least one of {listed}",
            )
        read = self.reader.read_parts([record])
        values = tuple(
            np.asarray(ids.values, dtype=np.int32) if part.name in record else own
            for part, ids, own in zip(self.parts, read, known, strict=True)
        )
        something = any(bool((ids != self.reader.unknown).any()) for ids in values)
        return Told(
            values=values, something=something, ignored=strange,
            unseen=self.reader.unseen([record]),
        )  # fmt: skip


def load_profiles(bundle: Bundle) -> Profiles | None:
    """What a bundle knows of its users; None where its graphs are not given any of it. Raises
    BundleError for files that do not fit."""
    found = bundle.parts.profile
    if found is None:
        return None
    reader = Reader.of(found.reading, bundle.read)
    tensors = parse_tensors(bundle.read(found.file), found.file)
    ids: list[I32] = []
    lengths: list[I32] = []
    for place, part in enumerate(reader.read_by):
        own, sizes = tensors.get(f"{place}/ids"), tensors.get(f"{place}/lengths")
        if (
            own is None or sizes is None or own.ndim != 2 or own.dtype != np.int32
            or sizes.dtype != np.int32 or own.shape != (len(sizes), part.length) or not len(own)
            or sizes.min() < 0 or sizes.max() > part.length or int(sizes[0])
            or own.min(initial=0) < 0 or own.max(initial=0) >= reader.rows
            or (lengths and len(sizes) != len(lengths[0]))
        ):  # fmt: skip
            raise BundleError(f"`{found.file}` does not hold `{part.name}` of the users", AGAIN)
        ids.append(own)
        lengths.append(sizes)
    return Profiles(reader, ids, lengths)


def refuse_profile(spec: Mapping[str, Any]) -> RequestError:
    """Why a bundle takes no attributes of users. spec: as in its manifest."""
    data: object = spec.get("data")
    names = cast(Mapping[str, Any], data).get("user") if isinstance(data, Mapping) else None
    if names:
        return RequestError(
            "the graphs of this bundle hold what is known of its users, and read no profile",
            "export the run again",
        )
    return RequestError(
        "this model reads no attributes of users",
        "leave `profile` out, or train with `user = [...]`",
    )
