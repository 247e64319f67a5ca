"""Raw attribute values as they come from tables and from JSON."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from legoc_runtime.errors import RequestError


def is_missing(value: object) -> bool:
    """Null, NaN, the empty text and the empty list are missing."""
    if value is None or value == "":
        return True
    if isinstance(value, float | np.floating):
        return math.isnan(float(cast(float, value)))
    return isinstance(value, list | tuple | np.ndarray) and len(cast(Sequence[Any], value)) == 0


def read_text(name: str, value: object) -> str:
    """A text; several values are joined by commas and numbers written out, for a language model
    reads categories and numbers as text. Missing is the empty text."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(read_text(name, part) for part in cast(Sequence[object], value))
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        number = float(cast(float, value))
        return str(int(number)) if number.is_integer() else repr(number)
    raise RequestError(f"`{name}` is a {type(value).__name__}, not a text", "give it in quotes")


def read_categories(name: str, value: object) -> list[str]:
    """The values of a category attribute: a text is one, a list is several."""
    if isinstance(value, str):
        return [value] if value else []
    if is_missing(value):
        return []
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return [str(value)]
    if isinstance(value, list | tuple | np.ndarray):
        return [
            one for part in cast(Sequence[object], value) for one in read_categories(name, part)
        ]
    raise RequestError(
        f"`{name}` is a {type(value).__name__}, not a category", "give a text or a list of texts"
    )


def read_number(name: str, value: object) -> float | None:
    """A number, or None where it is missing."""
    if is_missing(value):
        return None
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return float(cast(float, value))
    raise RequestError(f"`{name}` is {value!r}, not a number", "give it without quotes")
