"""Encoded users, as `encode_user` gives them and other calls take them.

Letters: D width, C vectors of a user, S clicks, L values of an attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import RequestError
from legoc_runtime.ids import as_list, shown
from legoc_runtime.manifest import ColdAnswer
from legoc_runtime.profiles import Values


F32 = NDArray[np.float32]
EACH = "give a list with an entry per user"


@dataclass(frozen=True, kw_only=True)
class User:
    """An encoded user.

    vectors: [D], [C, D], or the clicks [S, D] where the predictor reads those. clicks: the ids that
    were used; unknown: those the bundle has no item for, which were left out. known: whether the
    user is one the model was trained with (False where it reads none). row: of the user table, 0
    for a user who is not known. values: what a profile said, by attribute. ignored: what the
    profile has that the model does not read. unseen: its values of category attributes that were
    not seen in training, which are read as unknown.

    cold: None where something is known of the user, else what the scores are of instead: "model",
    "popularity" or "mean" (`legoc_runtime.cold`).
    """

    vectors: F32
    clicks: tuple[str, ...]
    unknown: tuple[str, ...]
    known: bool
    row: int = 0
    cold: ColdAnswer | None = None
    values: Values | None = None
    ignored: tuple[str, ...] = ()
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def as_users(users: object, width: int | None) -> list[User]:
    """A list of users; RequestError for what is none."""
    given = as_list(users, "the users", EACH)
    for user in given:
        verify_user(user, width)
    return given


def verify_user(user: object, width: int | None) -> None:
    """RequestError for what is no user, or one whose vectors another model made, or are no numbers.

    width: of the vectors, where a user has one.
    """
    if not isinstance(user, User):
        help = "encode it first, with `encode_user`"
        if isinstance(user, list | tuple) and any(isinstance(each, User) for each in user):  # pyright: ignore[reportUnknownVariableType]
            help = "give one; several are scored by `score_users` and `recommend_users`"
        raise RequestError(f"the user is {shown(user)}", help)
    vectors = cast(object, user.vectors)
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind != "f" or not vectors.ndim:
        raise RequestError(
            f"the vectors of the user are {shown(vectors)}", "encode it, with `encode_user`"
        )
    if width is not None and vectors.shape != (width,):
        raise RequestError(
            f"the user has a vector of {vectors.shape[-1]} numbers, items have {width}"
            if vectors.ndim == 1
            else f"the user has vectors {list(vectors.shape)}, and one of {width} numbers is read",
            "encode it with this model",
        )
    if not np.isfinite(vectors).all():
        raise RequestError(
            "the vectors of the user are not finite", "encode it again, with `encode_user`"
        )
