"""Ids as callers give them: the one place that turns them into the texts that tables hold.

A table's ids are texts. An application has them as numbers, NumPy scalars or texts; each means the
text it is written as. What has no one text, such as 1.5, True or None, is refused and named.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np

from legoc_runtime.errors import RequestError


EXACT = 2.0**53
Id = str | int | float


def as_id(value: object, what: str = "an id") -> str:
    """The text of an id: a text itself, a whole number as it is written. RequestError for others.

    what: what the id is of, for the message.
    """
    if isinstance(value, str):
        return str(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, int) and not isinstance(plain, bool):
        return str(plain)
    # A column of numbers with a missing one is read as floats.
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < EXACT:
        return str(int(plain))
    raise RequestError(f"{what} is {shown(value)}", "give a text or a whole number")


def as_ids(values: object, what: str = "the ids") -> list[str]:
    """A list of ids: a list, a tuple, an array or anything that gives one after the other, but a
    text or a mapping. RequestError otherwise."""
    if isinstance(values, str):
        raise RequestError(f"{what} are one text, {values!r}", f"give a list: [{values!r}]")
    found = as_list(values, what, 'give a list: ["N1", "N2"]')
    return [as_id(value, f"one of {what}") for value in found]


def as_list(values: object, what: str, help: str) -> list[Any]:
    """What is given one after the other, as a list. A text or a mapping gives something too, and
    never what was meant. RequestError with `help` otherwise."""
    if isinstance(values, str | bytes | bytearray | Mapping) or not isinstance(values, Iterable):
        raise RequestError(f"{what} are {shown(values)}, not a list", help)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise RequestError(f"{what} are an array of {values.ndim} dimensions", help)
    return list(cast(Iterable[Any], values))


def as_count(value: object, what: str) -> int:
    """A whole number from 1. RequestError otherwise."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 1:
        return int(value)
    raise RequestError(f"{what} is {shown(value)}", "give a whole number of at least 1")


def as_flag(value: object, what: str) -> bool:
    """True or false. RequestError otherwise."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise RequestError(f"{what} is {shown(value)}", "give true or false")


def shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
