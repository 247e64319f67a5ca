"""What the sources of clicks alone share: nobody was shown anything, so non-clicks are drawn."""

from typing import Any

from legoc.language.declaring.declare import Folder, param


class Clicked:
    """A source of clicks without impressions: valid and test get items drawn beside each click."""

    class Config:
        path: Folder = param(doc="The folder of the published files.")
        negatives: int = param(20, min=0, doc="Items drawn per click of valid and test.")
        seed: int = param(2023, min=0, doc="What they are drawn from.")

    derived = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in ("negatives", "seed")}
