"""What of a plan is computed once and kept (DESIGN section 4)."""

from dataclasses import dataclass
from typing import Literal

from legoc.language.ir.graphs import user_dims
from legoc.language.ir.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Cache:
    """A value computed once and kept: `per` is what one row of it belongs to."""

    name: Literal["states", "items", "users"]
    per: Literal["item", "user"]
    dims: tuple[int | str, ...]
    training: bool
    why: str


def infer_caches(
    spec: Spec, user: object, width: int, form: str, layout: str, frozen: bool, reads_user: bool,
    state: int = 0,
) -> tuple[Cache, ...]:  # fmt: skip
    """The caches of a plan of that form and layout. state: numbers of a token of a prefix."""
    caches: list[Cache] = []
    if form == "texts":
        return (
            Cache(
                name="items", per="item", dims=("tokens",), training=True,
                why="an item is its tokens, laid out anew in the text of each pair",
            ),
        )  # fmt: skip
    if form == "prefix":
        return (
            Cache(
                name="items", per="item", dims=("ending",), training=True,
                why="an item is the tokens of its end of the prompt",
            ),
            Cache(
                name="users", per="user", dims=user_dims(user, "user", state)[1:], training=False,
                why="what a distinct history begins the prompt with is read once, and kept until "
                "its last candidate",
            ),
        )  # fmt: skip
    if frozen:
        caches.append(
            Cache(
                name="states", per="item", dims=state_dims(spec), training=True,
                why="the frozen part of the item encoder never changes",
            )
        )  # fmt: skip
    caches.append(
        Cache(
            name="items", per="item", dims=(width,), training=layout == "id",
            why="the item table itself" if layout == "id" else "an item vector reads only the item",
        )
    )  # fmt: skip
    if form != "clicks":
        row = "a distinct history of a user" if reads_user else "a distinct history"
        caches.append(
            Cache(
                name="users", per="user", dims=user_dims(user, "user")[1:], training=False,
                why=f"one row for {row}: a user vector does not read the candidate",
            )
        )  # fmt: skip
    return tuple(caches)


def state_dims(spec: Spec) -> tuple[int | str, ...]:
    """The dimensions of what the frozen part of an item encoder makes of one item."""
    side = spec.model["content"].args.get("side") if "content" in spec.model else None
    return ("tokens" if side is None else "layers", "width")
