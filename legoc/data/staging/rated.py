"""What the sources of ratings share: their settings and their declaration."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from legoc.data.staging.graded import settings
from legoc.language.declaring.declare import Attribute, Folder, operator, param


T = TypeVar("T")


class Rated:
    """A source of single ratings: above `neutral` is a click, below it a non-click."""

    class Config:
        path: Folder = param(doc="The folder of the published files.")
        neutral: float = param(3.0, doc="The rating that is neither; above is a click.")
        negatives: int = param(0, min=0, doc="Items drawn per click of valid and test besides.")
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return settings(self.config)


def rating_source(
    name: str,
    *,
    page: str,
    licence: str,
    attributes: Sequence[Attribute],
    content: str,
    paper: str | None = None,
    users: Sequence[Attribute] = (),
    parts: str | None = None,
) -> Callable[[type[T]], type[T]]:
    """Declare a subclass of `Rated` as a source. page: the publisher's; paper: where not `name`;
    parts: the setting that chooses parts of the publisher's."""
    facts = {"page": page, "licence": licence, "candidates": "rated"}
    return operator(
        "source", name, version=1, paper=paper or name, primary="path", attributes=attributes,
        users=users, group="user", splits=("recbench", "legommenders"), content=content,
        facts=facts if parts is None else {**facts, "parts": parts},
    )  # fmt: skip
