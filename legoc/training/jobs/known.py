"""What a survey tells of a run, as it travels between processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from legoc.model.run import Run


@dataclass(frozen=True, kw_only=True)
class Known:
    """folder: of the run; equal ids at its end are equal trainings. finished: whether it is trained
    already. need: bytes of memory while it trains. work: operations of the training, to compare
    with those of other runs. resident: bytes that the surveying process holds itself."""

    folder: str
    finished: bool
    need: int
    work: float
    resident: int

    @property
    def id(self) -> str:
        return Run(Path(self.folder)).id

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Known":
        return Known(**document)
