"""How much one request may ask, and how long it waits for others to be answered with it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """body: bytes of a request. history, candidates: ids in a list, k: items asked for. users: that
    one request asks for. waiting: requests that wait at a time; more are told to come again.
    window: seconds in which requests are joined, together: how many at most."""

    body: int = 8 << 20
    history: int = 10_000
    candidates: int = 100_000
    k: int = 1_000
    waiting: int = 1_024
    window: float = 0.002
    together: int = 64
