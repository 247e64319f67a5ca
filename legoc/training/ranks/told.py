"""What torchrun, or another launcher, tells a process of the others: its number, and how many."""

import os
from dataclasses import dataclass

from legoc.language.diagnosing.diagnostics import fail


SIZE, RANK, HOST, PORT = "WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"
LOCAL, LOCALS = "LOCAL_RANK", "LOCAL_WORLD_SIZE"


@dataclass(frozen=True, kw_only=True)
class Told:
    """rank: the number of this process, from 0, of `size`. local: its number on this machine, of
    `locals`."""

    rank: int
    size: int
    local: int
    locals: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0


def read_told() -> Told | None:
    """What the environment says; None where this process is the only one. E0567 where it says that
    there are several and lacks how they find each other."""
    size = os.environ.get(SIZE, "")
    if not size.isdecimal() or int(size) < 2:
        return None
    lacking = next((name for name in (RANK, HOST, PORT) if not os.environ.get(name)), None)
    if lacking is not None:
        raise fail(
            "E0567",
            f"`{SIZE}` says that {size} processes train together, and `{lacking}` is not set",
            f"start them by `torchrun`, or unset `{SIZE}`",
        )
    rank = int(os.environ[RANK])
    return Told(
        rank=rank, size=int(size), local=int(os.environ.get(LOCAL, rank)),
        locals=int(os.environ.get(LOCALS, size)),
    )  # fmt: skip


def verify_single(what: str) -> None:
    """E0567 where several processes were started for what one of them does."""
    told = read_told()
    if told is not None:
        raise fail(
            "E0567",
            f"{what} is work of one process, and {told.size} were started",
            "start it without `torchrun`",
        )
