"""JSON as it is defined, where Python reads more: numbers that are none are refused."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from legoc_runtime.errors import BundleError


AGAIN = "export the bundle again"


def read_object(content: bytes) -> Mapping[str, Any]:
    """A JSON object whose numbers are finite, as JSON's are: Python reads `Infinity` and 1e999."""
    try:
        raw: object = json.loads(
            content.decode("utf-8"), parse_constant=refuse_number, parse_float=read_float
        )
    except (ValueError, RecursionError):
        raise BundleError("manifest.json is not JSON", AGAIN) from None
    if not isinstance(raw, dict):
        raise BundleError("manifest.json is not an object", AGAIN)
    return cast(dict[str, Any], raw)


def refuse_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def read_float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else refuse_number(text)
