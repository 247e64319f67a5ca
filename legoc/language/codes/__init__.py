"""The closed set of codes. Each is declared once, in the module of its range."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Code:
    """What `legoc explain` prints. `bad` and `good` are examples in .lego, or shell text for the
    codes of data, training and export."""

    code: str
    title: str
    explanation: str
    bad: str
    good: str
