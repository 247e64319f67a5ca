"""How runs are trained, beside what they are: the settings of `train` as a value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from legoc.training.energy import ESTIMATE, Energy


Until = Literal["data", "train", "export", "evaluate"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of `legoc.train` that are the same for all runs of a command."""

    runs: str = "runs"
    until: Until = "evaluate"
    cache: str | None = None
    again: bool = False
    strict: bool = False
    truncated: bool = False
    threads: int | None = None
    device: str | None = None
    baselines: bool = True
    track: tuple[str, ...] = ()
    energy: Energy = ESTIMATE

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Settings":
        track, energy = tuple(document["track"]), Energy(**document["energy"])
        return Settings(**{**document, "track": track, "energy": energy})
