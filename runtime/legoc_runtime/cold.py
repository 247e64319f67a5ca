"""Users of whom nothing is known: no click the bundle has an item for, no known id, no profile.

What they are answered is decided when a bundle is exported (`export { cold = ... }`) and done here,
for every call that scores.

    model       what the model itself makes of an empty history
    popularity  ln(1 + clicks) of each item in the training part, whoever asks
    mean        scores of the mean user of the training part
    error       a RequestError

Letters: N items of the bundle with row 0, P candidates, D width, C vectors of a user.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.bundle import Bundle
from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.manifest import Cold, ColdAnswer, find_dims
from legoc_runtime.table import Table
from legoc_runtime.tensors import Array, parse_tensors
from legoc_runtime.users import F32, User


NOTHING = np.zeros(0, dtype=np.bool_)


class ColdUsers:
    """How a bundle answers users of whom nothing is known.

    answer: one of the four above. popularity [N], names [N]: the scores of items, for that answer,
    and their ids. mean [D] or [C, D]: the vectors of the mean user, for that one.
    """

    def __init__(
        self, answer: ColdAnswer, *, popularity: F32 | None = None, names: Sequence[str] = (),
        mean: F32 | None = None,
    ) -> None:  # fmt: skip
        self.answer: ColdAnswer = answer
        self.mean = mean
        # Scores with the names of their rows, a list that tables of one origin share: those of the
        # bundle, and those of the table that was asked last.
        self.own = self.ranked = None if popularity is None else (names, popularity)

    def encode(self, vectors: F32) -> F32:
        """The vectors of such a user, given those the model makes of an empty history. Raises
        RequestError where the bundle refuses such users."""
        if self.answer == "error":
            raise RequestError(
                "nothing is known of the user: no click on an item of the bundle",
                "give clicks the bundle knows, or export with `cold = popularity`",
            )
        return vectors if self.mean is None else self.mean

    def scores(self, user: User, table: Table, rows: NDArray[np.integer]) -> F32 | None:
        """[P] scores of items by their rows, for a user who is answered by popularity; None for one
        who is scored by the vectors he has. An item that was added has no clicks."""
        ranked = self.ranked
        if user.cold != "popularity" or ranked is None:
            return None
        names, values = ranked
        if names is not table.names:
            # A catalogue was loaded, whose rows may be in another order.
            assert self.own is not None
            by_name = dict(zip(self.own[0], self.own[1].tolist(), strict=False))
            values = np.array([by_name.get(name, 0) for name in table.ids], dtype=np.float32)
            self.ranked = (table.names, values)
        known = rows < len(values)
        return np.where(known, values[np.where(known, rows, 0)], 0).astype(np.float32)

    def over(self, users: Sequence[User], scores: Iterable[F32], table: Table) -> Iterator[F32]:
        """The scores [N] that the model gives each user of all items, with those instead that
        popularity gives."""
        rows = np.arange(table.count)
        for user, given in zip(users, scores, strict=True):
            found = self.scores(user, table, rows)
            yield given if found is None else found


def load_cold(bundle: Bundle, table: Table) -> ColdUsers:
    """How a bundle answers; bundles that do not say let the model. table: its items as they are
    opened. Raises BundleError where what it needs for that is not there."""
    said = bundle.parts.cold
    if said.file is None:
        return ColdUsers(said.answer)
    tensors = parse_tensors(bundle.read(said.file), said.file)
    if said.answer == "popularity":
        clicks = tensors.get("clicks", NOTHING)
        if not holds(clicks, np.int64, (bundle.parts.rows,)) or int(clicks.min(initial=0)) < 0:
            raise damaged(said, f"the clicks of {bundle.parts.rows} items")
        popularity = np.log1p(clicks).astype(np.float32)
        return ColdUsers(said.answer, popularity=popularity, names=table.names)
    mean = tensors.get("user", NOTHING)
    dims = find_dims(bundle.parts, "user_encoder", "users") or ()
    if not holds(mean, np.float32, dims[1:]) or not np.isfinite(mean).all():
        raise damaged(said, "the mean user")
    return ColdUsers(said.answer, mean=mean)


def holds(found: Array, kind: Any, shape: tuple[int | str, ...]) -> bool:
    return found.dtype == kind and found.shape == shape


def damaged(said: Cold, what: str) -> BundleError:
    return BundleError(f"`{said.file}` does not hold {what}", "export the bundle again")
