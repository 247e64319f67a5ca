"""Encoded users, as `encode_user` gives them and other calls take them.

Letters: D width, C vectors of a user, S clicks.
"""

from dataclasses import dataclass

from legoc_runtime.errors import RequestError
from legoc_runtime.graphs import F32
from legoc_runtime.ids import as_list, shown


EACH = "give a list with an entry per user"


@dataclass(frozen=True, kw_only=True)
class User:
    """An encoded user.

    vectors: [D], [C, D], or the clicks [S, D] where the predictor reads those. clicks: the ids that
    were used; unknown: those the bundle has no item for, which were left out. known: whether the
    user is one the model was trained with (False where it reads none).
    """

    vectors: F32
    clicks: tuple[str, ...]
    unknown: tuple[str, ...]
    known: bool


def as_users(users: object, width: int | None) -> list[User]:
    """A list of users; RequestError for what is none."""
    given = as_list(users, "the users", EACH)
    for user in given:
        verify_user(user, width)
    return given


def verify_user(user: object, width: int | None) -> None:
    """RequestError for what is no user, or one whose vectors have another width."""
    if not isinstance(user, User):
        raise RequestError(f"the user is {shown(user)}", "encode it first, with `encode_user`")
    if width is not None and user.vectors.shape[-1] != width:
        raise RequestError(
            f"the user has a vector of {user.vectors.shape[-1]} numbers, items have {width}",
            "encode it with this model",
        )
